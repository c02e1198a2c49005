"""What the generated classes are made of."""

from __future__ import annotations

import warnings
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CLOSED", "OPEN", "ContractModel", "OpenEnum", "obsolete_class"]

T = TypeVar("T")


class ContractModel(BaseModel):
    """Open, as a schema is that does not say otherwise: properties it does not declare are kept.

    Fields can be given by their Python names and by the contract's.
    """

    model_config = ConfigDict(
        extra="allow",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        protected_namespaces=(),
    )


OPEN = ConfigDict(extra="allow", validate_by_name=True, validate_by_alias=True)
CLOSED = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)
"""Of dataclasses, where the schema leaves an object open, and where it does not."""


class OpenEnum(StrEnum):
    """An enum that has a place for values it does not name: each becomes a member called `UNKNOWN` that keeps it."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_, member._value_ = "UNKNOWN", value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the contract version that this package was built from names the value."""
        return self._name_ != "UNKNOWN"


if TYPE_CHECKING:
    from typing_extensions import deprecated as obsolete_class
else:

    def obsolete_class(message: str, /) -> Callable[[type[T]], type[T]]:
        """Marks a class as obsolete (PEP 702): making one warns.

        Parsing a message that holds one does not, as pydantic makes it without `__init__`: it is nobody's choice.
        """

        def marked(cls: type[T]) -> type[T]:
            made = cls.__init__

            @wraps(made)
            def __init__(self: Any, *args: Any, **values: Any) -> None:  # noqa: N807 - it is put into a class
                if type(self) is cls:
                    warnings.warn(message, DeprecationWarning, stacklevel=2)
                made(self, *args, **values)

            cls.__init__ = __init__
            cls.__deprecated__ = message
            return cls

        return marked
