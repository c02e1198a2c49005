"""What a message says it is: contract and version by headers, or a schema by Confluent's prefix or header."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from deedbox.kafka.messages import CONFLUENT_ID, CONTRACT, VERSION, Headers

_MAGIC_ID, _MAGIC_GUID = 0, 1


class Claim(NamedTuple):
    """What a message claims. `fault` says what is wrong with the claim itself; `skip` bytes stand before the body."""

    contract: bytes | None = None
    version: bytes | None = None
    schema_id: int | None = None
    guid: UUID | None = None
    skip: int = 0
    fault: str = ""


NO_CLAIM = Claim()


def read(headers: Headers, value: bytes) -> Claim:
    """Reads the claim of a message whose value is not empty.

    Deedbox's headers go before Confluent's, a Confluent header before the prefix of the value. A prefix is skipped
    whichever decides: no JSON text begins with a byte below 0x09.
    """
    found = dict(headers) if headers else {}
    first = value[0]
    skip, schema_id, guid, fault = 0, None, None, ""
    if first == _MAGIC_ID and len(value) >= 5:
        skip, schema_id = 5, int.from_bytes(value[1:5], "big")
    elif first == _MAGIC_GUID and len(value) >= 17:
        skip, guid = 17, UUID(bytes=value[1:17])
    elif first < 9:
        fault = f"the value begins with the byte 0x{first:02x}: 0x00 and a 4-byte id, 0x01 and a 16-byte GUID, or JSON"
    contract = found.get(CONTRACT)
    if contract is not None:
        return Claim(contract, found.get(VERSION), None, None, skip, fault)
    header = found.get(CONFLUENT_ID)
    if header is not None:
        if len(header) == 5 and header[0] == _MAGIC_ID:
            return Claim(None, None, int.from_bytes(header[1:], "big"), None, skip, fault)
        if len(header) == 17 and header[0] == _MAGIC_GUID:
            return Claim(None, None, None, UUID(bytes=header[1:]), skip, fault)
        fault = f"the header {CONFLUENT_ID} is neither 0x00 and a 4-byte id nor 0x01 and a 16-byte GUID"
        return Claim(skip=skip, fault=fault)
    if not skip and not fault:
        return NO_CLAIM
    return Claim(None, None, schema_id, guid, skip, fault)


def confluent_prefix(schema_id: int) -> bytes:
    """The five bytes that Confluent's clients put before a value."""
    return b"\x00" + schema_id.to_bytes(4, "big")


def confluent_header(guid: UUID) -> bytes:
    """The value of the header `__value_schema_id` by which Confluent's clients name a schema's GUID."""
    return b"\x01" + guid.bytes
