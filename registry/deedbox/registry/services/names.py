"""What things may be called. The rule stands here once; messages say it in full."""

from __future__ import annotations

import re
from uuid import UUID

from deedbox.registry.errors import InvalidName, InvalidRequest

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_NAME = re.compile(NAME)
_CHANNEL = re.compile(r"[A-Za-z0-9._-]{1,249}")
_ALLOWED = "up to 100 letters, digits, '.', '_' and '-', the first a letter or digit"


def check_name(name: str, what: str) -> str:
    """The name itself, if it may be one.

    Raises:
        InvalidName: says what is allowed.
    """
    if not _NAME.fullmatch(name):
        raise InvalidName(f"{_shown(name)} is no name for a {what}: use {_ALLOWED}", allowed=NAME)
    return name


def contract_name(service: str, name: str) -> str:
    """`service/name`, both checked.

    Raises:
        InvalidName: says what is allowed.
    """
    return f"{check_name(service, 'service')}/{check_name(name, 'contract')}"


def split_contract(contract: str, what: str = "contract") -> tuple[str, str]:
    """Service and name of `service/name`.

    Raises:
        InvalidName: not exactly two names with a slash between.
    """
    service, slash, name = contract.partition("/")
    if not slash or "/" in name:
        raise InvalidName(f"{_shown(contract)} names no {what}: write SERVICE/NAME, each {_ALLOWED}", allowed=NAME)
    contract_name(service, name)
    return service, name


def check_channel(channel: str) -> str:
    """The channel itself, if Kafka would take it as a topic.

    Raises:
        InvalidName: says what is allowed.
    """
    if not _CHANNEL.fullmatch(channel) or channel in (".", ".."):
        raise InvalidName(
            f"{_shown(channel)} is no channel: use up to 249 letters, digits, '.', '_' and '-'",
            allowed=_CHANNEL.pattern,
        )
    return channel


def check_uuid(text: str, pointer: str = "/id") -> str:
    """The id in its usual form.

    Raises:
        InvalidRequest: no UUID.
    """
    try:
        return str(UUID(text))
    except ValueError:
        raise InvalidRequest(f"{_shown(text)} is no UUID", pointer=pointer) from None


def _shown(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 120 else shown[:120] + "…"
