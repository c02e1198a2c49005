"""Rules about who may call."""

from __future__ import annotations

from deedbox.checker.openapi.rules.definition import OAS, rule

_REQUIREMENT = OAS + "§4.8.30 (Security Requirement Object)"
_SCHEME = OAS + "§4.8.27 (Security Scheme Object)"

TIGHTENED = rule(
    "security-tightened", "inclusion",
    "More credentials or scopes are asked for than before.",
    "Requests with what sufficed are answered 401 or 403.",
    _REQUIREMENT, "security-loosened",
)  # fmt: skip
LOOSENED = rule(
    "security-loosened", "policy",
    "Credentials or scopes that were asked for are asked for no more.",
    "Requests still pass, but what clients prove about themselves is looked at no longer, and others may call too: say that it is "
    "meant.",
    _REQUIREMENT, "security-tightened",
)  # fmt: skip
ALTERNATIVE_REMOVED = rule(
    "security-alternative-removed", "inclusion",
    "A way to authenticate is gone.",
    "Clients that use it are answered 401. Keep it beside the new one until they have moved.",
    _REQUIREMENT, "security-alternative-added",
)  # fmt: skip
ALTERNATIVE_ADDED = rule(
    "security-alternative-added", "inclusion",
    "There is another way to authenticate.",
    "Clients go on as before. An old provider does not know the new way.",
    _REQUIREMENT, "security-alternative-removed",
)  # fmt: skip
SCHEME_CHANGED = rule(
    "security-scheme-changed", "inclusion",
    "Credentials of a scheme are sent or made otherwise.",
    "Requests with the credentials as they were are answered 401. Give the new way a name of its own, as an alternative.",
    _SCHEME, "security-scheme-changed",
)  # fmt: skip
FLOWS_CHANGED = rule(
    "oauth-flow-changed", "annotation",
    "An OAuth flow has other addresses or scopes.",
    "Tokens stay what they are; clients must fetch them elsewhere, or may ask for other scopes.",
    OAS + "§4.8.28 (OAuth Flows Object)", "oauth-flow-changed",
)  # fmt: skip
RULES = (TIGHTENED, LOOSENED, ALTERNATIVE_REMOVED, ALTERNATIVE_ADDED, SCHEME_CHANGED, FLOWS_CHANGED)
