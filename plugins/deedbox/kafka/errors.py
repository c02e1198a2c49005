"""What can go wrong around live messages. A bad *message* is no error but an `Invalid` value: see `inspection`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deedbox.kafka.inspection import Invalid


class LiveError(Exception):
    """Root of all that this room raises. `str()` is one sentence that says what, where and what to do."""


class InvalidMessage(LiveError):
    """A message that the policy says must not pass. `invalid` says why; `where` names the topic, partition and offset."""

    def __init__(self, invalid: Invalid, where: str) -> None:
        super().__init__(f"{where}: {invalid}")
        self.invalid, self.where = invalid, where


class UndeclaredContract(LiveError):
    """A serializer was told to write a contract version that the registry does not know."""


class BrokerUnavailable(LiveError):
    """The broker gave no answer in time."""


class MessageTooLarge(BrokerUnavailable):
    """A message is larger than its topic, or this client, takes: it will be refused again, and the others not."""


class NotPermitted(LiveError):
    """The cluster answered, and does not let this client do what it asked for."""


class Fenced(LiveError):
    """Another process has taken over this one's transactions or partitions: what was begun must be begun anew."""


class StoreUnavailable(LiveError):
    """The database of what was handled did not answer. The message at hand was not handled, and is read again."""


class DeadLetterRefused(LiveError):
    """The dead-letter topic did not take a message. Nothing was committed; `topic` names it."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(
            f"the dead-letter topic {topic} refuses: {reason}. Nothing is lost: the offsets were not committed. "
            "Check that it exists, takes messages of this size, and lets this client write"
        )
        self.topic = topic


class ReplayRefused(DeadLetterRefused):
    """A dead letter was not taken where it was to be sent again. `topic` names the dead-letter topic."""

    def __init__(self, topic: str, reason: str) -> None:
        LiveError.__init__(
            self,
            f"sending dead letters of {topic} again was refused: {reason}. What was sent before stands in "
            f"{topic}.replays and is not sent twice. Check that the topic they came from and {topic}.replays exist, take "
            "messages of this size, and let this client write",
        )
        self.topic = topic


class ReplayOvertaken(Fenced):
    """Another replay of the same dead letters began, and ended this one. `topic` names the dead-letter topic."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"another replay of {topic} has begun, by hand or by an order, and taken over from this one. What this one sent "
            f"stands in {topic}.replays and is not sent twice: run it again once the other one has ended"
        )
        self.topic = topic


class RegistryAway(LiveError):
    """The registry was needed to judge by, and did not answer."""


class LimitReached(LiveError):
    """Too many messages of a channel fail: more likely the schema or its version is wrong than all the messages are."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(
            f"{topic}: {reason}. Nothing more of it goes to the dead letters: look at the version that is published "
            "and at what changed last, then start again, or with higher limits where they are bad messages after all"
        )
        self.topic = topic


class PortTaken(LiveError):
    """The address of the metrics has another listener, or is none of this machine."""


class IllegalTopic(LiveError):
    """A name that no topic can have."""


class ClientConfigInvalid(LiveError):
    """A file of client settings that cannot be used. `where` is the file, with the line where there is one."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where


class InvalidDeadLetter(LiveError):
    """A message on a dead-letter topic that does not say where it came from."""


class SpoolFailed(LiveError):
    """The file in which a guard keeps what it saw cannot be used. `path` names it; `begun` says whether it could before."""

    def __init__(self, path: str, reason: str, *, begun: bool = True) -> None:
        meanwhile = "Messages are judged all the same; what is seen meanwhile does not reach the registry. " * begun
        super().__init__(
            f"the guard's file {path} cannot be used: {reason}. {meanwhile}Each guard process needs a file of its own, on a "
            "disk with room: an --instance of its own gives it one, --spool another place"
        )
        self.path = path
