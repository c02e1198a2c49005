"""Rules about parameters and response headers: the named values of a message's head."""

from __future__ import annotations

from deedbox.checker.openapi.rules.definition import OAS, rule

_PARAMETER = OAS + "§4.8.12 (Parameter Object)"
_HEADER = OAS + "§4.8.21 (Header Object)"

REMOVED = rule(
    "parameter-removed", "policy",
    "A parameter is gone.",
    "What clients send in it is dropped, or answered 400, and the answer is another than they asked for. Mark it deprecated "
    "first.",
    _PARAMETER, "parameter-added",
)  # fmt: skip
ADDED = rule(
    "parameter-added", "inclusion",
    "A parameter is new, and may be left out.",
    "Clients that do not know it are served as before.",
    _PARAMETER, "parameter-removed",
)  # fmt: skip
REQUIRED_REMOVED = rule(
    "required-parameter-removed", "policy",
    "A parameter that had to be sent is gone.",
    "What clients send in it is dropped. A client of the new version, which leaves it out, is refused by an old provider.",
    _PARAMETER, "required-parameter-added",
)  # fmt: skip
REQUIRED_ADDED = rule(
    "required-parameter-added", "inclusion",
    "A new parameter must be sent.",
    "Requests of clients that do not know it are refused. Make it optional, with a default that means what was done before.",
    _PARAMETER, "required-parameter-removed",
)  # fmt: skip
BECAME_REQUIRED = rule(
    "parameter-became-required", "inclusion",
    "A parameter that could be left out must be sent.",
    "Requests without it are refused. Keep it optional, with a default.",
    _PARAMETER + ", required", "parameter-became-optional",
)  # fmt: skip
BECAME_OPTIONAL = rule(
    "parameter-became-optional", "inclusion",
    "A parameter that had to be sent may be left out.",
    "An old provider refuses requests without it.",
    _PARAMETER + ", required", "parameter-became-required",
)  # fmt: skip
SERIALIZED_OTHERWISE = rule(
    "parameter-serialization-changed", "inclusion",
    "A value is written otherwise (style, explode, or schema against content).",
    "The same value has another text on the wire: either side reads something else, or nothing.",
    OAS + "§4.8.12.3 (Style Values)", "parameter-serialization-changed",
)  # fmt: skip
RESERVED_REFUSED = rule(
    "reserved-characters-refused", "inclusion",
    "Reserved characters must be percent-encoded in a parameter now.",
    "Requests with :/?#[]@!$&'()*+,;= as such in its value are read otherwise or refused.",
    OAS + "§4.8.12 (allowReserved)", "reserved-characters-allowed",
)  # fmt: skip
RESERVED_ALLOWED = rule(
    "reserved-characters-allowed", "inclusion",
    "Reserved characters may stand in a parameter as they are.",
    "An old provider reads them otherwise or refuses them.",
    OAS + "§4.8.12 (allowReserved)", "reserved-characters-refused",
)  # fmt: skip
EMPTY_REFUSED = rule(
    "empty-value-refused", "inclusion",
    "A parameter without a value is refused now.",
    "Requests such as `?flag` or `?flag=` are answered 400.",
    OAS + "§4.8.12 (allowEmptyValue)", "empty-value-allowed",
)  # fmt: skip
EMPTY_ALLOWED = rule(
    "empty-value-allowed", "inclusion",
    "A parameter may be sent without a value.",
    "An old provider refuses it so.",
    OAS + "§4.8.12 (allowEmptyValue)", "empty-value-refused",
)  # fmt: skip
PATH_RENAMED = rule(
    "path-parameter-renamed", "annotation",
    "A variable of a path has another name.",
    "The requests stay what they are. Generated clients name an argument after it.",
    OAS + "§4.8.8.2 (Path Templating)", "path-parameter-renamed",
)  # fmt: skip
DEPRECATED = rule(
    "parameter-deprecated", "annotation",
    "A parameter or header is marked deprecated.",
    "It still works. Clients should stop using it.",
    _PARAMETER + ", deprecated", "parameter-no-longer-deprecated",
)  # fmt: skip
NOT_DEPRECATED = rule(
    "parameter-no-longer-deprecated", "annotation",
    "A parameter or header is no longer marked deprecated.",
    "It stays.",
    _PARAMETER + ", deprecated", "parameter-deprecated",
)  # fmt: skip
HEADER_REMOVED = rule(
    "response-header-removed", "policy",
    "A header of a response is gone.",
    "Clients that read it find nothing there.",
    _HEADER, "response-header-added",
)  # fmt: skip
HEADER_ADDED = rule(
    "response-header-added", "inclusion",
    "A header of a response is new.",
    "Clients ignore headers that they do not know (RFC 9110 §5.1). A client that counts on it does not get it from an old provider.",
    _HEADER, "response-header-removed",
)  # fmt: skip
HEADER_OPTIONAL = rule(
    "response-header-became-optional", "inclusion",
    "A header that every response had may be missing.",
    "Clients that count on it fail where it is not there.",
    _HEADER + ", required", "response-header-became-required",
)  # fmt: skip
HEADER_REQUIRED = rule(
    "response-header-became-required", "inclusion",
    "A header that could be missing is always there.",
    "A client that counts on it does not always get it from an old provider.",
    _HEADER + ", required", "response-header-became-optional",
)  # fmt: skip
HEADER_SERIALIZED_OTHERWISE = rule(
    "response-header-serialization-changed", "inclusion",
    "A header's value is written otherwise (explode, or schema against content).",
    "The same value has another text on the wire: clients read something else, or nothing.",
    OAS + "§4.8.12.3 (Style Values)", "response-header-serialization-changed",
)  # fmt: skip
RULES = (
    REMOVED, ADDED, REQUIRED_REMOVED, REQUIRED_ADDED, BECAME_REQUIRED, BECAME_OPTIONAL, SERIALIZED_OTHERWISE, RESERVED_REFUSED,
    RESERVED_ALLOWED, EMPTY_REFUSED, EMPTY_ALLOWED, PATH_RENAMED, DEPRECATED, NOT_DEPRECATED, HEADER_REMOVED, HEADER_ADDED,
    HEADER_OPTIONAL, HEADER_REQUIRED, HEADER_SERIALIZED_OTHERWISE,
)  # fmt: skip
