"""Rules about bodies, responses and their media types."""

from __future__ import annotations

from deedbox.checker.openapi.rules.definition import OAS, rule

_BODY = OAS + "§4.8.13 (Request Body Object)"
_RESPONSES = OAS + "§4.8.16 (Responses Object)"
_MEDIA = OAS + "§4.8.14 (Media Type Object)"

BODY_REMOVED = rule(
    "request-body-removed", "policy",
    "A request has no body any more.",
    "What clients send in it is dropped or refused.",
    _BODY, "request-body-added",
)  # fmt: skip
BODY_ADDED = rule(
    "request-body-added", "inclusion",
    "A request may have a body.",
    "Clients that send none are served as before.",
    _BODY, "request-body-removed",
)  # fmt: skip
REQUIRED_BODY_ADDED = rule(
    "required-request-body-added", "inclusion",
    "A request must have a body now.",
    "Requests without one are refused.",
    _BODY, "required-request-body-removed",
)  # fmt: skip
REQUIRED_BODY_REMOVED = rule(
    "required-request-body-removed", "policy",
    "A body that had to be sent is gone.",
    "What clients send in it is dropped. A client of the new version, which sends none, is refused by an old provider.",
    _BODY, "required-request-body-added",
)  # fmt: skip
BODY_REQUIRED = rule(
    "request-body-became-required", "inclusion",
    "A body that could be left out must be sent.",
    "Requests without one are refused.",
    _BODY + ", required", "request-body-became-optional",
)  # fmt: skip
BODY_OPTIONAL = rule(
    "request-body-became-optional", "inclusion",
    "A body that had to be sent may be left out.",
    "An old provider refuses requests without one.",
    _BODY + ", required", "request-body-became-required",
)  # fmt: skip
REQUEST_MEDIA_REMOVED = rule(
    "request-media-type-removed", "inclusion",
    "A media type is no longer read.",
    "Requests with such a body are answered 415.",
    _MEDIA, "request-media-type-added",
)  # fmt: skip
REQUEST_MEDIA_ADDED = rule(
    "request-media-type-added", "inclusion",
    "Another media type is read.",
    "An old provider answers such a body with 415.",
    _MEDIA, "request-media-type-removed",
)  # fmt: skip
RESPONSE_MEDIA_REMOVED = rule(
    "response-media-type-removed", "inclusion",
    "A media type is no longer sent.",
    "Clients that accept no other are answered 406, or get a body that they cannot read.",
    _MEDIA, "response-media-type-added",
)  # fmt: skip
RESPONSE_MEDIA_ADDED = rule(
    "response-media-type-added", "inclusion",
    "Another media type is offered.",
    "Clients get it only where they accept it. An old provider does not have it.",
    _MEDIA, "response-media-type-removed",
)  # fmt: skip
ENCODING_CHANGED = rule(
    "encoding-changed", "inclusion",
    "A part of a form body is written otherwise.",
    "The same value has another text on the wire.",
    OAS + "§4.8.15 (Encoding Object)", "encoding-changed",
)  # fmt: skip
RESPONSE_REMOVED = rule(
    "response-removed", "policy",
    "A successful response is given no more.",
    "Clients that wait for this status never see it. Keep answering it to those who know no other.",
    _RESPONSES, "response-added",
)  # fmt: skip
RESPONSE_ADDED = rule(
    "response-added", "annotation",
    "A request may be answered with another status.",
    "Clients treat a status that they do not know as the first one of its class (RFC 9110 §15).",
    _RESPONSES, "response-removed",
)  # fmt: skip
ERROR_REMOVED = rule(
    "error-response-removed", "annotation",
    "An error is no longer described.",
    "Clients lose nothing that they wait for.",
    _RESPONSES, "response-added",
)  # fmt: skip
RANGE_NARROWED = rule(
    "response-range-narrowed", "annotation",
    "Of a range of statuses, some are named and the rest goes.",
    "Clients that know the whole range know these.",
    _RESPONSES, "response-range-widened",
)  # fmt: skip
RANGE_WIDENED = rule(
    "response-range-widened", "annotation",
    "A range of statuses takes the place of some of them, or comes beside them.",
    "Clients treat a status that they do not know as the first one of its class (RFC 9110 §15).",
    _RESPONSES, "response-range-narrowed",
)  # fmt: skip
LINK_REMOVED = rule(
    "link-removed", "annotation",
    "A link from a response to an operation is gone.",
    "No message changes; clients that follow links by name do not find it.",
    OAS + "§4.8.20 (Link Object)", "link-added",
)  # fmt: skip
LINK_ADDED = rule(
    "link-added", "annotation",
    "A link from a response to an operation is new.",
    "No message changes.",
    OAS + "§4.8.20 (Link Object)", "link-removed",
)  # fmt: skip
LINK_CHANGED = rule(
    "link-changed", "annotation",
    "A link leads to another operation, or with other parameters.",
    "No message changes; clients that follow it call something else.",
    OAS + "§4.8.20 (Link Object)", "link-changed",
)  # fmt: skip
RULES = (
    BODY_REMOVED, BODY_ADDED, REQUIRED_BODY_ADDED, REQUIRED_BODY_REMOVED, BODY_REQUIRED, BODY_OPTIONAL, REQUEST_MEDIA_REMOVED,
    REQUEST_MEDIA_ADDED, RESPONSE_MEDIA_REMOVED, RESPONSE_MEDIA_ADDED, ENCODING_CHANGED, RESPONSE_REMOVED, RESPONSE_ADDED,
    ERROR_REMOVED, RANGE_NARROWED, RANGE_WIDENED, LINK_REMOVED, LINK_ADDED, LINK_CHANGED,
)  # fmt: skip
