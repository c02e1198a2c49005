"""Request bodies, read strictly: what a parser would have to guess at is refused, with the place.

The schema within a body is cut out as text, so that it is kept exactly as sent and its own errors point into it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from deedbox.checker.documents import load_document
from deedbox.checker.errors import CheckerError, TooLarge
from deedbox.checker.json_values import MAX_DEPTH, check_strings
from deedbox.checker.policy import Acceptance
from deedbox.registry.errors import InvalidRequest, NotJson
from deedbox.registry.services.values import Proposal
from deedbox.registry.web.problems import unusable
from flask import request
from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from deedbox.codegen import Style

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)

_scan_string: Any = json.decoder.scanstring  # type: ignore[attr-defined] # not in the stubs
_decode_value = json.JSONDecoder(parse_float=str, parse_int=str).raw_decode
_SPACE = " \t\n\r"

_PROPOSAL_FIELDS = (
    "schema", "version", "role", "kind", "of", "channels", "groups", "content_model", "format", "dialect", "accepted",
    "package", "package_style", "package_open_enums", "id",
)  # fmt: skip


def body_text() -> str:
    """The request's body as text.

    Raises:
        NotJson: not UTF-8, or empty.
        RequestEntityTooLarge: over the server's limit.
    """
    data = request.get_data(cache=False)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJson(f"byte {error.start} of the body is not UTF-8") from None
    if not text.strip(_SPACE):
        raise NotJson("the body is empty: send a JSON object")
    return text


def proposal(contract: str) -> Proposal:
    """The body of a publication.

    Raises:
        NotJson, InvalidRequest, TooLarge: says where.
    """
    return _proposal(Members(body_text(), ""), contract)


def proposals() -> list[Proposal]:
    """The body of a check: `{"contracts": [{"contract": "service/name", …}]}`.

    Raises:
        NotJson, InvalidRequest, TooLarge: says where.
    """
    body = Members(body_text(), "")
    body.only("contracts")
    found = []
    for i, item in enumerate(body.items("contracts")):
        members = Members(item, f"/contracts/{i}")
        contract = members.text("contract")
        if contract is None:
            raise unusable("missing: name the contract, as service/name", f"/contracts/{i}/contract")
        found.append(_proposal(members, contract, "contract"))
    if not found:
        raise unusable("empty: name at least one contract", "/contracts")
    return found


def fields(*names: str, empty: bool = False) -> Members:
    """The body as an object that has no other members than these; where `empty`, it may also be left out.

    Raises:
        NotJson, InvalidRequest: says where.
    """
    body = Members("{}" if empty and not request.get_data() else body_text(), "")
    body.only(*names)
    return body


def strict(model: type[Model]) -> Model:
    """The body as a model whose own rules are strict.

    Raises:
        NotJson, InvalidRequest: says where.
    """
    text = body_text()
    try:
        value = load_document(text, "body.json").value
    except CheckerError as error:
        Members(text, "")  # says where it is no JSON, as for every other body
        raise unusable(getattr(error, "message", str(error)), getattr(error, "pointer", None) or "") from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object", pointer="")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = "".join(f"/{step}" for step in first["loc"])
        raise unusable(first["msg"][:1].lower() + first["msg"][1:], pointer) from None


class Members:
    """The members of one JSON object, each still as text until it is asked for."""

    def __init__(self, text: str, pointer: str) -> None:
        self._text, self._pointer = text, pointer
        self._spans = _spans(text, pointer)

    def only(self, *names: str) -> None:
        """Refuses members of other names.

        Raises:
            InvalidRequest: with the nearest name there is.
        """
        for name in self._spans:
            if name not in names:
                near = get_close_matches(name, names, 1)
                advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
                raise unusable(f"no such field: {advice}", self._at(ascii(name)[1:-1][:60]))

    def raw(self, name: str) -> str | None:
        """The text of a member; None where it is absent or null."""
        span = self._spans.get(name)
        text = None if span is None else self._text[span[0] : span[1]]
        return None if text == "null" else text

    def value(self, name: str) -> Any:
        """The value of a member; None where it is absent or null.

        Raises:
            InvalidRequest: what JSON cannot say (NaN, a lone surrogate), a key twice.
        """
        text = self.raw(name)
        if text is None:
            return None
        try:
            return load_document(text, "body.json").value
        except CheckerError as error:
            pointer = self._at(name) + (getattr(error, "pointer", None) or "")
            raise unusable(getattr(error, "message", str(error)), pointer) from None

    def text(self, name: str, most: int = 1000) -> str | None:
        """A string.

        Raises:
            InvalidRequest: something else, longer than `most`, or with a null character.
        """
        value = self.value(name)
        if value is None:
            return None
        return _text(value, self._at(name), most)

    def flag(self, name: str) -> bool:
        """A truth value; false where it is absent or null."""
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            raise unusable("must be true or false", self._at(name))
        return bool(value)

    def texts(self, name: str, most: int = 1000) -> tuple[str, ...] | None:
        """An array of strings.

        Raises:
            InvalidRequest: something else.
        """
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > most:
            raise unusable(f"must be an array of at most {most} strings", self._at(name))
        return tuple(_text(item, f"{self._at(name)}/{i}", 1000) for i, item in enumerate(value))

    def mapping(self, name: str) -> dict[str, str]:
        """An object of strings; empty where it is absent.

        Raises:
            InvalidRequest: something else.
        """
        value = self.value(name)
        if value is None:
            return {}
        if not isinstance(value, dict) or len(value) > 1000:
            raise unusable("must be an object of strings", self._at(name))
        return {key: _text(member, f"{self._at(name)}/{key}", 1000) for key, member in value.items()}

    def items(self, name: str) -> list[str]:
        """The items of an array, each as text.

        Raises:
            InvalidRequest: no array.
        """
        text = self.raw(name)
        if text is None or text[0] != "[":
            raise unusable("must be an array", self._at(name))
        return _elements(text)

    def required(self, name: str, read: Callable[[str], T | None]) -> T:
        """A member that must be there.

        Raises:
            InvalidRequest: it is not.
        """
        value = read(name)
        if value is None:
            raise unusable("missing", self._at(name))
        return value

    def _at(self, name: str) -> str:
        return f"{self._pointer}/{name}"


def _proposal(members: Members, contract: str, *more: str) -> Proposal:
    members.only(*_PROPOSAL_FIELDS, *more)
    raw = members.raw("schema")
    if raw is None:
        raise unusable("missing: the contract's document, as an object or as a text", members._at("schema"))
    # A string is a document's text, JSON or YAML; anything else is the document itself.
    source, syntax = (members.value("schema"), "schema") if raw[0] == '"' else (raw, "schema.json")
    if "\x00" in source:
        raise unusable("a null character is part of no document", members._at("schema"))
    return Proposal(
        contract=contract,
        source=source,
        syntax=syntax,
        version=members.text("version"),
        role=members.text("role"),
        kind=members.text("kind"),
        of=members.text("of"),
        channels=members.texts("channels"),
        groups=members.texts("groups"),
        content_model=members.text("content_model"),
        format=members.text("format"),
        dialect=members.text("dialect"),
        accepted=_accepted(members),
        package=members.text("package"),
        package_style=_style(members),
        package_open_enums=members.flag("package_open_enums"),
        uuid=members.text("id"),
    )


def _style(members: Members) -> Style:
    style = members.text("package_style")
    if style is None:
        return "pydantic"
    from deedbox.codegen.model import STYLES

    found = next((known for known in STYLES if known == style), None)
    if found is None:
        raise unusable(f"must be one of {', '.join(STYLES)}", members._at("package_style"))
    return found


def _accepted(members: Members) -> tuple[Acceptance, ...]:
    value = members.value("accepted")
    if value is None:
        return ()
    at = members._at("accepted")
    if not isinstance(value, list) or len(value) > 1000:
        raise unusable("must be an array of at most 1000 accepted findings", at)
    found = []
    for i, item in enumerate(value):
        if not isinstance(item, dict) or "fingerprint" not in item:
            raise unusable("must be an object with a fingerprint", f"{at}/{i}")
        unknown = set(item) - {"fingerprint", "rule", "reason", "by", "until"}
        if unknown:
            raise unusable("no such field", f"{at}/{i}/{sorted(unknown)[0]}")
        said: Mapping[str, str] = {
            key: _text(text, f"{at}/{i}/{key}", 64 if key == "fingerprint" else 1000)
            for key, text in item.items()
            if text is not None
        }
        until = said.get("until")
        try:
            day = date.fromisoformat(until) if until else None
        except ValueError:
            raise unusable("must be a date, as 2026-12-31", f"{at}/{i}/until") from None
        found.append(
            Acceptance(
                said["fingerprint"], said.get("rule", "")[:100], said.get("reason", ""), said.get("by", "")[:200], day
            )
        )
    return tuple(found)


def _text(value: Any, pointer: str, most: int) -> str:
    if not isinstance(value, str):
        raise unusable("must be a string", pointer)
    if len(value) > most:
        raise unusable(f"must be at most {most} characters long", pointer)
    if "\x00" in value:
        raise unusable("must be without null characters", pointer)
    return value


def _spans(text: str, pointer: str) -> dict[str, tuple[int, int]]:
    """Where the value of each member of an object stands."""
    found: dict[str, tuple[int, int]] = {}
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        # Tell an array from what is no JSON at all.
        _value_end(text, at)
        raise InvalidRequest(f"{pointer or 'the body'} must be a JSON object", pointer=pointer)
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        _nothing_behind(text, at + 1)
        return found
    while True:
        if text[at : at + 1] != '"':
            raise _broken(text, at, "expected a key in double quotes")
        try:
            name, at = _scan_string(text, at + 1, True)
        except json.JSONDecodeError as error:
            raise _broken(text, error.pos, error.msg) from None
        check_strings(name, "body", pointer)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise _broken(text, at, "expected ':'")
        at = _skip(text, at + 1)
        end = _value_end(text, at)
        if name in found:
            raise unusable("stands twice in one object: keep one of them", f"{pointer}/{name}")
        found[name] = (at, end)
        at = _skip(text, end)
        if text[at : at + 1] == "}":
            _nothing_behind(text, at + 1)
            return found
        if text[at : at + 1] != ",":
            raise _broken(text, at, "expected ',' or '}'")
        at = _skip(text, at + 1)


def _elements(text: str) -> list[str]:
    """The items of an array that is known to be well-formed."""
    found: list[str] = []
    at = _skip(text, 1)
    while text[at] != "]":
        end = _value_end(text, at)
        found.append(text[at:end])
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _value_end(text: str, at: int) -> int:
    try:
        return _decode_value(text, at)[1]
    except json.JSONDecodeError as error:
        raise _broken(text, error.pos, error.msg) from None
    except RecursionError:
        raise TooLarge(f"nested deeper than {MAX_DEPTH} levels", source="body") from None


def _nothing_behind(text: str, at: int) -> None:
    at = _skip(text, at)
    if at < len(text):
        raise _broken(text, at, "expected the end")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _broken(text: str, at: int, message: str) -> NotJson:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return NotJson(
        f"the body is not JSON: {message[:1].lower()}{message[1:]} (line {line}, column {column})",
        line=line,
        column=column,
    )
