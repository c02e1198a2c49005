"""The registry's HTTP client: what everything outside of the server speaks through."""

from __future__ import annotations

from deedbox.checker.policy import Refusal
from deedbox.client.errors import (
    ClientError,
    InvalidUrl,
    Problem,
    RegistryUnavailable,
    UnexpectedReply,
    is_unavailable,
)
from deedbox.client.registry import RegistryClient
from deedbox.client.values import CheckResult, Difference, Link

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
