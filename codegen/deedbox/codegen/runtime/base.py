"""What the generated classes are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


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
