"""The registry's native API, one method a use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from deedbox.client.errors import Problem, UnexpectedReply
from deedbox.client.values import CheckResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from uuid import UUID

    from deedbox.client.transport import Patience, Transport

_API = "/api/v1"
T = TypeVar("T")


class RegistryClient:
    """A registry at an address. Close it, or use it in a `with`.

    Args:
        url: the registry's address, such as `http://127.0.0.1:8080`.
        actor: who writes; the registry records it on every row.
        patience: time-outs and retries, or None for the usual.
        transport: instead of one made from the others (for tests).

    Every method raises `RegistryUnavailable` without an answer, `Problem` at a refusal, and `UnexpectedReply`
    where something else than a registry answers.
    """

    def __init__(
        self,
        url: str,
        *,
        actor: str = "anonymous",
        patience: Patience | None = None,
        transport: Transport | None = None,
    ) -> None:
        if transport is None:
            from deedbox.client.transport import Patience, Transport

            headers = {
                "Deedbox-Actor": _header(actor),
                "Accept": "application/json, application/problem+json",
            }
            transport = Transport(url, headers, patience or Patience())
        self.url, self._transport = url.rstrip("/"), transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def check(
        self, contracts: Sequence[Mapping[str, Any]], accepted: Sequence[Mapping[str, Any]] = ()
    ) -> list[CheckResult]:
        """Judges documents against what is published and live. Writes nothing.

        Args:
            contracts: each `{"contract": "service/name", "schema": …}` with the fields of a publication.
            accepted: breaks accepted by name, for all of them.

        Returns:
            One result a contract, in their order.
        """
        body = {"contracts": [{**contract, "accepted": list(accepted)} for contract in contracts]}
        data = self._json("POST", "/check", body=body)
        return _shaped(self.url, lambda: [CheckResult.from_dict(item) for item in data["results"]])

    def publish(self, contract: str, publication: Mapping[str, Any], *, if_match: str | None = None) -> dict[str, Any]:
        """Publishes one version. The same content under the same version again is no second row.

        Args:
            contract: `service/name`.
            publication: `schema`, and what else is said of it.
            if_match: the contract's ETag as read, where the writing depends on it.

        Returns:
            The publication, its `check`, and `created`: whether a row was written.
        """
        headers = {"If-Match": if_match} if if_match is not None else {}
        response = self._transport.request(
            "POST", f"{_API}{_contract(contract)}/versions", body=dict(publication), headers=headers
        )
        return {**_object(self.url, self._decode(response)), "created": response.status_code == 201}

    def service(self, service: str) -> dict[str, Any] | None:
        """What is said of a service, or None where nothing is."""
        return self._get_or_none(f"/services/{_segment(service)}")

    def contract(self, contract: str) -> dict[str, Any] | None:
        """What is known of a contract, or None where nothing is."""
        return self._get_or_none(_contract(contract))

    def publication(self, contract: str, version: str = "latest") -> dict[str, Any] | None:
        """One version of a contract, or None where there is none of that name."""
        return self._get_or_none(f"{_contract(contract)}/versions/{_segment(version)}")

    def schema(self, contract: str, version: str = "latest") -> bytes:
        """The schema's text exactly as it was published."""
        path = f"{_API}{_contract(contract)}/versions/{_segment(version)}/schema"
        return self._transport.request("GET", path, headers={"Accept": "*/*"}).content

    def versions(self, contract: str) -> Iterator[dict[str, Any]]:
        """The versions of a contract, page by page."""
        return self._pages(f"{_contract(contract)}/versions", {})

    def contracts(self, *, channel: str | None = None) -> Iterator[dict[str, Any]]:
        """Contracts by name, page by page; only those on a channel where one is given."""
        return self._pages("/contracts", {"channel": channel} if channel is not None else {})

    def schema_usage(self, schema: int | UUID) -> tuple[str, str] | None:
        """A contract and its version that have the schema of this id or GUID, a writer's first; None where nobody has."""
        try:
            page = self._json("GET", f"/schemas/{schema}/versions")
        except Problem as problem:
            if problem.status == 404:
                return None
            raise
        uses = _page(self.url, page)[0]
        return _shaped(self.url, lambda: (str(uses[0]["contract"]), str(uses[0]["version"]))) if uses else None

    def retire(self, contract: str, version: str, reason: str) -> dict[str, Any]:
        """Says that a version is no longer in use."""
        path = f"{_contract(contract)}/versions/{_segment(version)}/retirement"
        return _object(self.url, self._json("POST", path, body={"reason": reason}))

    def release(self, contract: str, version: str, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Asks for the package of a version on the registry's own index: the job that makes it.

        Args:
            contract: `service/name`.
            version: a published one.
            wish: any of `package`, `style`, `open_enums`, and `id`, a UUID that makes asking again no second job.
        """
        path = f"{_contract(contract)}/versions/{_segment(version)}/packages"
        return _object(self.url, self._json("POST", path, body=dict(wish)))

    def job(self, id: str) -> dict[str, Any]:
        """How a job stands: `state` is waiting, running, done or failed."""
        return _object(self.url, self._json("GET", f"/jobs/{_segment(id)}"))

    def package_file(self, distribution: str, filename: str) -> bytes:
        """A file of a package on the registry's own index."""
        path = f"/simple/{_segment(distribution)}/{_segment(filename)}"
        return self._transport.request("GET", path, headers={"Accept": "*/*"}).content

    def fields(self, contract: str | None = None) -> list[dict[str, Any]]:
        """Obsolete fields and their states: all, or those that one contract marks."""
        params = {"contract": contract} if contract is not None else {}
        return _page(self.url, self._json("GET", "/fields", params=params))[0]

    def record_evidence(self, contract: str, pointer: str, reading: Mapping[str, Any]) -> dict[str, Any]:
        """Records a reading about an obsolete field; the claim that it allows comes back."""
        body = {"contract": contract, "pointer": pointer, "reading": dict(reading)}
        return _object(self.url, self._json("POST", "/fields/evidence", body=body))

    def waive(self, contract: str, pointer: str, waived: str, reason: str, until: str | None = None) -> None:
        """Leaves a consumer or a group out of account for an obsolete field, in writing."""
        body = {"contract": contract, "pointer": pointer, "waived": waived, "reason": reason, "until": until}
        self._json("POST", "/fields/waivers", body=body)

    def set_channel_policy(self, channel: str, policy: Mapping[str, Any]) -> None:
        """Says how the fields of a channel drain."""
        self._json("PUT", f"/channels/{_segment(channel)}/policy", body=dict(policy))

    def remind(self) -> list[dict[str, Any]]:
        """Has said, once, which fields are obsolete for longer than their policy; all of those come back."""
        return _page(self.url, self._json("POST", "/fields/reminders", body={}))[0]

    def links(self, contract: str | None = None) -> Iterator[dict[str, Any]]:
        """Which producers meet which consumers, and whether they fit."""
        return self._pages("/links", {"contract": contract} if contract else {})

    def impact(self, contract: str, pointer: str) -> dict[str, Any]:
        """Whom a field of the latest version reaches, and what its removal would break.

        Args:
            contract: `service/name`.
            pointer: the field's resolved pointer in the schema, or its place in a message.
        """
        return _object(self.url, self._json("GET", f"{_contract(contract)}/impact", params={"pointer": pointer}))

    def record_deployment(
        self, id: UUID, *, environment: str, service: str, service_version: str, contracts: Mapping[str, str]
    ) -> dict[str, Any]:
        """Says what an environment runs from now on. The same id again is no second row."""
        body = {
            "environment": environment,
            "service": service,
            "service_version": service_version,
            "contracts": dict(contracts),
        }
        return _object(self.url, self._json("PUT", f"/deployments/{id}", body=body))

    def can_i_deploy(self, *, environment: str, service: str, contracts: Mapping[str, str]) -> dict[str, Any]:
        """Whether contract versions of a service fit all that an environment runs: `allowed` and `links`."""
        params: list[tuple[str, Any]] = [("service", service), ("environment", environment)]
        params += [("contracts", f"{name}={version}") for name, version in contracts.items()]
        return _object(self.url, self._json("GET", "/can-i-deploy", params=params))

    def observe(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """Records what a guard saw. The same id with the same content again is no second row."""
        return _object(self.url, self._json("POST", "/observations", body=dict(report)))

    def record_replay(self, id: UUID, run: Mapping[str, Any]) -> dict[str, Any]:
        """Records that dead letters were sent again. The same id again is no second row."""
        return _object(self.url, self._json("PUT", f"/replays/{id}", body=dict(run)))

    def dead_letter_positions(self, cluster: str, topic: str, topic_id: str = "") -> dict[int, int]:
        """By partition of a dead-letter topic, the offset from which on nothing was reported; not those without a report."""
        params = {"cluster": cluster, "topic": topic, "topic_id": topic_id}
        items, _ = _page(self.url, self._json("GET", "/dead-letters/positions", params=params))
        return _shaped(self.url, lambda: positions(items))

    def report_dead_letters(self, id: UUID, report: Mapping[str, Any]) -> dict[str, Any]:
        """Records what was read of a dead-letter topic. The same id with the same content again is no second row.

        A `Problem` of the code `offsets-taken` says that some of it was reported already; its field `positions` (see the
        function of that name) says from where to go on, under a new id.
        """
        return _object(self.url, self._json("PUT", f"/dead-letters/reports/{id}", body=dict(report)))

    def replay_orders(self, cluster: str, states: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Orders to send dead letters of a cluster again that are in one of the states, the oldest first, page by page."""
        return self._pages("/replay-orders", [("cluster", cluster), *(("state", state) for state in states)])

    def claim_order(self, id: str, worker: str, seconds: int) -> dict[str, Any]:
        """Takes an order for so many seconds, or for more where the worker has it: the `order` and its `task`.

        A `Problem` of status 409: another worker has it, or nothing is to be done with it now.
        """
        body = {"worker": worker, "seconds": seconds}
        return _object(self.url, self._json("POST", f"/replay-orders/{_segment(id)}/claims", body=body))

    def record_order_result(self, id: str, task: str, result: Mapping[str, Any]) -> dict[str, Any]:
        """Says what came of an order's task; the order comes back. The same content again changes nothing."""
        path = f"/replay-orders/{_segment(id)}/results/{_segment(task)}"
        return _object(self.url, self._json("PUT", path, body=dict(result)))

    def observed_channels(self, channel: str | None = None) -> Iterator[dict[str, Any]]:
        """Channels as guards saw them: contracts, versions and groups on them, and what is not as registered."""
        return self._pages("/observations/channels", {"channel": channel} if channel else {})

    def observed_counts(self, contract: str) -> list[dict[str, Any]]:
        """What guards counted of one contract's messages, by channel, version and rule."""
        return _page(self.url, self._json("GET", "/observations/counts", params={"contract": contract}))[0]

    def observed_coverage(
        self, contract: str, pointer: str, *, channel: str | None = None, cluster: str | None = None
    ) -> list[dict[str, Any]]:
        """By partition: ranges of offsets in which an obsolete field was looked for, and where it was seen last."""
        params = {"contract": contract, "pointer": pointer}
        params |= {name: held for name, held in (("channel", channel), ("cluster", cluster)) if held}
        return _page(self.url, self._json("GET", "/observations/coverage", params=params))[0]

    def ready(self) -> bool:
        """Whether the registry answers and can work."""
        try:
            self._transport.request("GET", "/readyz")
        except Problem:
            return False
        return True

    def _json(self, method: str, path: str, **options: Any) -> Any:
        return self._transport.json(method, _API + path, **options)

    def _decode(self, response: Any) -> Any:
        from deedbox.client.transport import decode

        return decode(response)

    def _get_or_none(self, path: str) -> dict[str, Any] | None:
        try:
            return _object(self.url, self._json("GET", path))
        except Problem as problem:
            if problem.status == 404:
                return None
            raise

    def _pages(self, path: str, params: Mapping[str, str] | Sequence[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        pairs = list(params.items() if isinstance(params, Mapping) else params)
        after: str | None = None
        while True:
            page = self._json("GET", path, params=[*pairs, ("after", after)] if after else pairs)
            items, after = _page(self.url, page)
            yield from items
            if after is None:
                return


def positions(items: Any) -> dict[int, int]:
    """Offsets by partition, of `[{"partition": 0, "next": 25}]`.

    Raises:
        LookupError, TypeError, ValueError: they are none.
    """
    return {int(item["partition"]): int(item["next"]) for item in items}


def _contract(contract: str) -> str:
    service, _, name = contract.partition("/")
    return f"/contracts/{_segment(service)}/{_segment(name)}"


def _segment(text: str) -> str:
    # "." and ".." would be resolved away as path steps before the server could refuse them.
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E") or "%20"


def _header(text: str) -> str:
    """Header values are visible ASCII in practice: what is not is percent-encoded."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]|~<>{}^`\"") or "anonymous"


def _page(url: str, data: Any) -> tuple[list[dict[str, Any]], str | None]:
    return _shaped(url, lambda: (list(data["items"]), data["next"]))


def _object(url: str, data: Any) -> dict[str, Any]:
    return _shaped(url, lambda: {**data})


def _shaped(url: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnexpectedReply(
            f"{url} gave an answer that this client cannot read ({type(error).__name__}: {error}). "
            "Are client and registry of one release?",
            url=url,
        ) from None
