"""What the registry can refuse or fail at, each as a class with fields. The web maps `code` to a problem in one place."""

from __future__ import annotations

from typing import Any


class RegistryError(Exception):
    """Root of all that the registry raises. `str()` says what is wrong and what to do.

    `extra` holds fields that a caller can act on; the web shows them beside the message.
    """

    code = "registry-error"

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra


class InvalidRequest(RegistryError):
    """A field that is missing, of the wrong type, or has a value that is not offered. `pointer` says which."""

    code = "invalid-request"


class NotJson(RegistryError):
    """A request body that is not JSON."""

    code = "body-not-json"


class InvalidName(RegistryError):
    """A name of a service, contract or environment outside the allowed characters."""

    code = "invalid-name"


class InvalidVersion(RegistryError):
    """A version that is no semantic version."""

    code = "invalid-version"


class NotFound(RegistryError):
    """No such service, contract, version or schema."""

    code = "not-found"


class Forbidden(RegistryError):
    """A write that the actor may not do, or that a page's form did not ask for."""

    code = "forbidden"


class VersionTaken(RegistryError):
    """The version exists with other content."""

    code = "version-taken"


class IdTaken(RegistryError):
    """A client-given id that names another row."""

    code = "id-taken"


class IdentityChanged(RegistryError):
    """A publication that would give a contract another role or format, so that old and new cannot be compared."""

    code = "identity-changed"


class PreconditionFailed(RegistryError):
    """`If-Match` named a state that is no longer current. `missed` lists what was written since."""

    code = "precondition-failed"


class GateRefused(RegistryError):
    """The gate said no. `check` is the whole CheckResult."""

    code = "gate-refused"


class Undecided(RegistryError):
    """Neither proof nor witness; never published silently. `check` is the whole CheckResult."""

    code = "undecided"


class PackageNameTaken(RegistryError):
    """The name of a package belongs to something else: `owner`, "" for what was uploaded."""

    code = "package-name-taken"


class FileTaken(RegistryError):
    """A file of that name is on the index, with other bytes. Nothing published is ever replaced."""

    code = "file-taken"


class UnusableFile(RegistryError):
    """A file that is no whole wheel or source distribution, or is not what its name or the upload says."""

    code = "file-unusable"


class NotPackageable(RegistryError):
    """A version that gives no package, and never will as it is. `reason` is the code of what keeps it."""

    code = "not-packageable"


class ReleaseUnderWay(RegistryError):
    """Another release of the same version, asked for with other options, has not ended. `job` is its id."""

    code = "release-under-way"


class OffsetsTaken(RegistryError):
    """A report about offsets that were reported before. `positions` says, by partition, where to go on."""

    code = "offsets-taken"


class OrderOpen(RegistryError):
    """Another order for the same dead letters has not ended. `order` is its id."""

    code = "order-open"


class OrderClaimed(RegistryError):
    """Another worker has the order, or is sending other letters of its topic: `worker`, `until`."""

    code = "order-claimed"


class OrderNotReady(RegistryError):
    """What was asked does not go with how the order stands: `state`."""

    code = "order-not-ready"


class LeaseLost(RegistryError):
    """Another worker has the work by now, or nobody has: what this one did of it is not kept."""

    code = "lease-lost"


class InvalidCursor(RegistryError):
    """A cursor that this server did not hand out."""

    code = "invalid-cursor"


class Busy(RegistryError):
    """Too much under way: ask again after `retry_after` seconds."""

    code = "busy"

    def __init__(self, message: str, retry_after: int = 2, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.retry_after = retry_after


class StorageUnavailable(Busy):
    """The database does not answer. Nothing was written."""

    code = "storage-unavailable"


class ConfigurationError(RegistryError):
    """A setting that cannot be used. The message names it."""

    code = "configuration"


class ServerFailed(RegistryError):
    """A server process that did not come up."""

    code = "server-failed"
