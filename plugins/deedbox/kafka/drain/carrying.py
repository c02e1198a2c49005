"""Whether a record carries a field, as it stands in the log: for scans, which judge nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import orjson
from deedbox.kafka.judging import claims
from deedbox.kafka.judging.obsolete import carries as has_member
from deedbox.kafka.messages import CONTRACT


def carrying(
    pointer: str, contracts: Collection[str]
) -> Callable[[str, Sequence[tuple[str, bytes]], bytes | None], bool]:
    """The test for one field.

    A record that says it is of another contract does not carry it. One that says nothing may; one that cannot be read
    counts as carrying it.

    Args:
        pointer: where the field stands in a message, `*` for the items of an array.
        contracts: whose messages may carry it.
    """
    test = has_member(pointer)
    own = frozenset(contract.encode() for contract in contracts)
    name = pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~").encode()
    # A name that JSON writes as it is stands so in the body: most records are passed over without being parsed.
    plain = name if name.isalnum() and pointer.rpartition("/")[2] != "*" else b""

    def carried(topic: str, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> bool:  # noqa: ARG001
        if not value:
            return value is not None
        if headers and (said := dict(headers).get(CONTRACT)) is not None and said not in own:
            return False
        # What looks like JSON is JSON, or nobody gets a field out of it. An escape may write a name in another way.
        if plain and value[0] in b"{[" and plain not in value and b"\\u" not in value and value.rstrip()[-1] in b"}]":
            return False
        try:
            return test(orjson.loads(value[claims.read(headers, value).skip :]))
        except ValueError:
            return True

    return carried
