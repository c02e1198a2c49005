"""Rules about whole operations: there or not, deprecated, renamed, served elsewhere."""

from __future__ import annotations

from deedbox.checker.openapi.rules.definition import OAS, rule

REMOVED = rule(
    "operation-removed", "inclusion",
    "An operation is gone.",
    "Clients that call it are answered 404 or 405. Mark it deprecated, say when it goes, and remove it in a new major version "
    "once nobody calls it.",
    OAS + "§4.8.8 (Paths Object)", "operation-added",
)  # fmt: skip
ADDED = rule(
    "operation-added", "inclusion",
    "An operation is new.",
    "Clients written for the new version find no such operation at a provider of the old one.",
    OAS + "§4.8.8 (Paths Object)", "operation-removed",
)  # fmt: skip
VERSION_REMOVED = rule(
    "api-version-removed", "inclusion",
    "A whole version of the API is gone.",
    "Every operation under that version's route is answered 404. Serve the old version beside the new one until its clients "
    "have moved.",
    OAS + "§4.8.8 (Paths Object)", "api-version-added",
)  # fmt: skip
VERSION_ADDED = rule(
    "api-version-added", "inclusion",
    "A new version of the API is served beside the others.",
    "Clients of the versions that were there notice nothing. A client of the new one finds nothing at an old provider.",
    OAS + "§4.8.8 (Paths Object)", "api-version-removed",
)  # fmt: skip
DEPRECATED = rule(
    "operation-deprecated", "annotation",
    "An operation is marked deprecated.",
    "It still works. Clients should move to its successor.",
    OAS + "§4.8.10 (deprecated)", "operation-no-longer-deprecated",
)  # fmt: skip
NOT_DEPRECATED = rule(
    "operation-no-longer-deprecated", "annotation",
    "An operation is no longer marked deprecated.",
    "It stays. Clients that began to move may stop.",
    OAS + "§4.8.10 (deprecated)", "operation-deprecated",
)  # fmt: skip
SUNSET_EARLIER = rule(
    "sunset-earlier", "policy",
    "An operation goes earlier than was said.",
    "Clients planned by the date that was published. Keep it, or agree on a new one with them.",
    "RFC 8594 §3 (Sunset)", "sunset-later",
)  # fmt: skip
SUNSET_LATER = rule(
    "sunset-later", "annotation",
    "The day on which an operation goes was set, put off or taken back.",
    "Clients have at least as much time as before.",
    "RFC 8594 §3 (Sunset)", "sunset-earlier",
)  # fmt: skip
ID_CHANGED = rule(
    "operation-id-changed", "annotation",
    "An operation has another operationId.",
    "No message changes. Generated clients name their function after it, so code that calls it must follow.",
    OAS + "§4.8.10 (operationId)", "operation-id-changed",
)  # fmt: skip
TAGS_CHANGED = rule(
    "operation-tags-changed", "annotation",
    "An operation is grouped otherwise.",
    "No message changes. Generated clients may put it into another class.",
    OAS + "§4.8.10 (tags)", "operation-tags-changed",
)  # fmt: skip
SERVERS_CHANGED = rule(
    "servers-changed", "annotation",
    "The API is served at other addresses.",
    "Clients that take the address from the document go elsewhere. Keep the old address answering, or tell them.",
    OAS + "§4.8.5 (Server Object)", "servers-changed",
)  # fmt: skip
TEXT_CHANGED = rule(
    "api-text-changed", "annotation",
    "Words, examples or links to documentation changed.",
    "No message changes.",
    OAS + "§4.8.10 (Operation Object)", "api-text-changed",
)  # fmt: skip
WEBHOOK_REMOVED = rule(
    "webhook-removed", "policy",
    "A webhook is sent no more.",
    "Clients that wait for it wait for ever, and nothing tells them.",
    OAS + "§4.8.1 (webhooks)", "webhook-added",
)  # fmt: skip
WEBHOOK_ADDED = rule(
    "webhook-added", "annotation",
    "A webhook is new.",
    "Clients that do not subscribe to it notice nothing.",
    OAS + "§4.8.1 (webhooks)", "webhook-removed",
)  # fmt: skip
CALLBACK_REMOVED = rule(
    "callback-removed", "policy",
    "A callback is sent no more.",
    "Clients that wait for it wait for ever, and nothing tells them.",
    OAS + "§4.8.18 (Callback Object)", "callback-added",
)  # fmt: skip
CALLBACK_ADDED = rule(
    "callback-added", "annotation",
    "A callback is new.",
    "Clients that do not ask for it notice nothing.",
    OAS + "§4.8.18 (Callback Object)", "callback-removed",
)  # fmt: skip
RULES = (
    REMOVED, ADDED, VERSION_REMOVED, VERSION_ADDED, DEPRECATED, NOT_DEPRECATED, SUNSET_EARLIER, SUNSET_LATER, ID_CHANGED,
    TAGS_CHANGED, SERVERS_CHANGED, TEXT_CHANGED, WEBHOOK_REMOVED, WEBHOOK_ADDED, CALLBACK_REMOVED, CALLBACK_ADDED,
)  # fmt: skip
