"""A contract at work: `validate`, `parse`, `dump`. The schema decides; the classes are how its messages are held."""

from __future__ import annotations

import json
import math
from enum import Enum
from importlib import resources
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, is_typeddict

if TYPE_CHECKING:
    from collections.abc import Callable

    import jsonschema_rs

T = TypeVar("T")
Old = TypeVar("Old")
New = TypeVar("New")

_MOST_FAULTS = 20


class ContractViolation(ValueError):
    """A message that the contract's schema rejects.

    `faults` are pairs of a JSON pointer into the message and a sentence, at most 20 of them.
    """

    def __init__(self, contract: str, version: str, faults: list[tuple[str, str]]) -> None:
        self.contract, self.version, self.faults = contract, version, faults
        where = "; ".join(f"at {pointer or 'the root'}: {message}" for pointer, message in faults)
        super().__init__(f"no message of {contract} {version}: {where}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles with its fields."""
        return (type(self), (self.contract, self.version, self.faults))


class NotRepresentable(TypeError):
    """A valid message that the generated classes cannot hold. `validate()` accepts it: use the plain value."""


class NoConversion(LookupError):
    """No function is registered that converts between two versions, and the message fits only one of them."""


class Contract:
    """One contract version: its name, version and digest, and its schemas, read when first needed.

    Args:
        package: the package whose resources hold `schema.json` (and `reading.json` where enums are open).
        name, version, digest: of the contract version.
        draft: the JSON Schema draft, "4" to "2020-12".
        roots: class name → JSON pointer of its schema in the document.
        reading: the file by which messages are read; `schema.json`, unless enums are open.
        plain: whether messages are held as plain values (typed dictionaries) and not as objects.
    """

    def __init__(
        self,
        package: str,
        *,
        name: str,
        version: str,
        digest: str,
        draft: str,
        roots: dict[str, str],
        reading: str = "schema.json",
        plain: bool = False,
    ) -> None:
        self.package, self.name, self.version, self.digest = package, name, version, digest
        self._draft, self._roots, self._reading, self._plain = draft, roots, reading, plain
        self._validators: dict[tuple[str, str], jsonschema_rs.Validator] = {}
        self._adapters: dict[Any, Any] = {}

    def resource(self, file: str) -> str:
        """The text of a file of the package."""
        return resources.files(self.package).joinpath(file).read_text(encoding="utf-8")

    def validate(self, value: Any, root: str, *, reading: bool = False) -> None:
        """Raises unless a JSON value is a message of the contract, by its schema.

        Raises:
            ContractViolation: with the faults and their places.
        """
        self._judge(self._json(value), root, self._reading if reading else "schema.json")

    def _judge(self, value: Any, root: str, file: str) -> None:
        validator = self._validator(root, file)
        if validator.is_valid(value):
            return
        faults: list[tuple[str, str]] = []
        for error in validator.iter_errors(value):
            pointer = "".join("/" + str(t).replace("~", "~0").replace("/", "~1") for t in error.instance_path)
            faults.append((pointer, error.message if len(error.message) < 300 else error.message[:297] + "..."))
            if len(faults) == _MOST_FAULTS:
                break
        raise ContractViolation(self.name, self.version, faults)

    def is_valid(self, value: Any, root: str) -> bool:
        """Whether a JSON value is a message of the contract, by its schema."""
        try:
            value = whole(value)
        except (ValueError, RecursionError):
            return False
        return self._validator(root, "schema.json").is_valid(value)

    def parse(self, message: Any, cls: Any, root: str) -> Any:
        """A message as an object of its class. Text and bytes are JSON; all else is the JSON value itself.

        Raises:
            ContractViolation: it is none by the schema, or not JSON at all.
            NotRepresentable: it is one, and the classes cannot hold it.
        """
        return self.read(self.decoded(message) if isinstance(message, str | bytes | bytearray) else message, cls, root)

    def read(self, value: Any, cls: Any, root: str) -> Any:
        """A JSON value as an object of its class: `parse`, where a text is a text.

        Raises:
            ContractViolation, NotRepresentable: as `parse`.
        """
        value = self._json(value)
        self._judge(value, root, self._reading)
        return self.held(value, cls)

    def held(self, value: Any, cls: Any) -> Any:
        """A JSON value as an object of a class, by what the class itself checks.

        Raises:
            NotRepresentable: the class refuses it.
        """
        if self._plain:
            return value
        from pydantic import ValidationError

        try:
            # A property may be called as a field of another name is: only the contract's own names are read.
            return self._adapter(cls).validate_python(value, by_alias=True, by_name=False)
        except ValidationError as error:
            raise NotRepresentable(f"{self.name} {self.version}: {error}") from None

    def dump(self, message: Any, cls: Any, root: str) -> Any:
        """A message as a JSON value, with exactly the properties that were set.

        Raises:
            ContractViolation: what was set is no message of the contract.
        """
        value = self.plain(message, cls)
        self.validate(value, root, reading=True)
        return value

    def plain(self, message: Any, cls: Any) -> Any:
        """An object of a class as a JSON value, unchecked."""
        if self._plain or not hasattr(cls, "model_fields"):
            return plain_value(message)
        return self._adapter(cls).dump_python(message, mode="json", by_alias=True, exclude_unset=True, warnings=False)

    def decoded(self, text: str | bytes | bytearray) -> Any:
        """JSON text as a value; numbers such as 1.0 as integers, which in JSON Schema they are.

        Raises:
            ContractViolation: it is not JSON.
        """
        try:
            return json.loads(text, parse_float=_number, parse_constant=_refused)
        except (ValueError, RecursionError) as error:
            raise ContractViolation(self.name, self.version, [("", f"not JSON: {error}")]) from None

    def _json(self, value: Any) -> Any:
        try:
            return whole(value)
        except (ValueError, RecursionError) as error:
            raise ContractViolation(self.name, self.version, [("", f"no JSON value: {error}")]) from None

    def _adapter(self, cls: Any) -> Any:
        if cls not in self._adapters:
            from pydantic import TypeAdapter

            self._adapters[cls] = TypeAdapter(cls)
        return self._adapters[cls]

    def _validator(self, root: str, file: str) -> jsonschema_rs.Validator:
        pointer = self._roots[root]
        if (pointer, file) not in self._validators:
            self._validators[pointer, file] = validator_of(json.loads(self.resource(file)), self._draft, pointer)
        return self._validators[pointer, file]


def validator_of(schema: Any, draft: str, pointer: str) -> jsonschema_rs.Validator:
    """The validator of the subschema at a pointer. Reads nothing but the document: no file, no network."""
    import jsonschema_rs

    drafts: dict[str, Any] = {
        "4": jsonschema_rs.Draft4Validator,
        "6": jsonschema_rs.Draft6Validator,
        "7": jsonschema_rs.Draft7Validator,
        "2019-09": jsonschema_rs.Draft201909Validator,
        "2020-12": jsonschema_rs.Draft202012Validator,
    }
    if isinstance(schema, dict):
        # The draft is given: a `$schema` of a registry's own would be looked up.
        schema = {k: v for k, v in schema.items() if k != "$schema"}
        if pointer:
            schema = {**schema, "$ref": "#" + pointer}
    made = drafts[draft](schema, offline=True, validate_formats=False, registry=jsonschema_rs.Registry([]))
    return cast("jsonschema_rs.Validator", made)


def whole(value: Any) -> Any:
    """A JSON value with numbers such as 1.0 as integers, which in JSON Schema they are.

    Raises:
        ValueError: it is no JSON value: a number that is not finite, a key that is no text, an object of a class.
    """
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number of JSON")
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise ValueError(f"the key {name!r} is no text")
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    raise ValueError(f"a {type(value).__qualname__} is none")


class Conversion(Generic[Old, New]):
    """A hook that converts messages between this version and another: `upgrade(old)`, `downgrade(new)`.

    Register a function with `@upgrade.register`. Without one a message is taken as it is where this contract's schema
    accepts it.
    """

    def __init__(self, name: str, fallback: Callable[[Any], Any]) -> None:
        self._name, self._fallback = name, fallback
        self._functions: list[tuple[type, Callable[[Any], Any]]] = []

    def register(self, kind: type[Old]) -> Callable[[Callable[[Old], New]], Callable[[Old], New]]:
        """Registers a function for messages of a class: `@upgrade.register(v1.OrderPlaced)`."""

        def registered(function: Callable[[Old], New]) -> Callable[[Old], New]:
            self._functions.append((kind, function))
            return function

        return registered

    def __call__(self, message: Old) -> New:
        """The message, converted by the function registered last for its class.

        Raises:
            NoConversion: no function is registered for its class, and it does not fit as it is.
        """
        for kind, function in reversed(self._functions):
            # A typed dictionary is no class at run time: any dictionary may be one.
            if isinstance(message, dict if is_typeddict(kind) else kind):
                return cast("New", function(message))
        try:
            return cast("New", self._fallback(message))
        except (ContractViolation, NotRepresentable, TypeError) as error:
            raise NoConversion(
                f"no {self._name} is registered for {type(message).__module__}.{type(message).__qualname__}, and the "
                f"message does not fit as it is ({error}): register one with @{self._name}.register(…)"
            ) from error


def plain_value(message: Any) -> Any:
    """A message of any generated class as a JSON value, with exactly the properties that were set."""
    if isinstance(message, dict):
        return {name: plain_value(member) for name, member in message.items()}
    if isinstance(message, list | tuple):
        return [plain_value(item) for item in message]
    if isinstance(message, Enum):
        return message.value
    if hasattr(message, "model_dump"):
        return message.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    fields = getattr(message, "__pydantic_fields__", None)
    if fields is None:
        return message
    from pydantic import MISSING

    # Dataclasses keep what they do not declare beside their fields, and pydantic leaves it out.
    return {
        fields[name].alias or name if name in fields else name: plain_value(member)
        for name, member in vars(message).items()
        if member is not MISSING
    }


def _number(literal: str) -> int | float:
    value = float(literal)
    if math.isinf(value):
        raise ValueError(f"{literal} is larger than any double")
    return int(value) if value.is_integer() else value


def _refused(literal: str) -> Any:
    raise ValueError(f"{literal} is no JSON value")
