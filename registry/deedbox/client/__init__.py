"""The registry's HTTP client: what everything outside of the server speaks through."""

from __future__ import annotations

from deedbox.client.errors import (
    ClientError,
    InvalidUrl,
    Problem,
    RegistryUnavailable,
    UnexpectedReply,
    is_unavailable,
)
from deedbox.client.registry import RegistryClient
from deedbox.client.values import CheckResult, Difference, Link, Refusal

__all__ = [
    "CheckResult",
    "ClientError",
    "Difference",
    "InvalidUrl",
    "Link",
    "Problem",
    "Refusal",
    "RegistryClient",
    "RegistryUnavailable",
    "UnexpectedReply",
    "is_unavailable",
]
