"""Values as pages write them: times, levels, counts, addresses. Templates call these by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from deedbox.registry.services.browsing.layout import pretty
from deedbox.registry.web.json_out import dump
from deedbox.registry.web.pages.drawing import map_drawing, sparkline
from markupsafe import Markup, escape

LEVELS = {
    "breaking": "Breaking",
    "additive": "Additive",
    "patch": "Patch",
    "undecided": "Undecided",
    "identical": "Identical",
    "new": "New",
}
ROLES = {"consumes": "reads", "produces": "sends", "provides": "provides"}
STATES = {"holds": "fits", "broken": "broken", "undecided": "undecided"}
STATE_OF = {True: "holds", False: "broken", None: "undecided"}
_MARKS = {"holds": "✓", "broken": "✗", "undecided": "?"}


def level(name: str | None) -> Markup:
    """A level or verdict, in its colour and in words."""
    name = name or "undecided"
    return Markup('<span class="tag level-{}">{}</span>').format(name, LEVELS.get(name, name))


def state(name: str) -> Markup:
    """Whether a link holds, with a mark that does not rest on colour."""
    return Markup('<span class="tag state-{}"><span aria-hidden="true">{}</span> {}</span>').format(
        name, _MARKS.get(name, ""), STATES.get(name, name)
    )


def when(at: str | None, *, minutes: bool = True) -> Markup:
    """A moment in UTC, to the minute or the day."""
    if not at:
        return Markup("")
    shown = at[:16].replace("T", " ") + " UTC" if minutes else at[:10]
    return Markup('<time datetime="{}">{}</time>').format(at, shown)


def moment(milliseconds: int | None) -> Markup:
    """A moment in milliseconds since 1970, as `when` writes it."""
    if milliseconds is None:
        return Markup("")
    try:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return Markup("{} ms").format(milliseconds)  # a clock gone wild
    return when(at.isoformat(timespec="seconds").replace("+00:00", "Z"))


def contract_url(contract: str, version: str | None = None) -> str:
    """The page of a contract, or of one of its versions."""
    path = f"/contracts/{quote(contract)}"
    return f"{path}/versions/{quote(version)}" if version else path


def field_url(contract: str, pointer: str) -> str:
    """The page of a field."""
    page = f"/contracts/{quote(contract)}/fields"
    # Browsers take dots alone for steps up, and servers a line's end for the end of a path.
    if not pointer or {".", ".."} & set(pointer.split("/")) or not pointer.isprintable():
        return f"{page}?pointer={quote(pointer, safe='/~')}"
    return page + quote(pointer, safe="/~")


def anchor(pointer: str) -> str:
    """The fragment of a field on its contract's page: `#/properties/customer`."""
    return "#" + quote(pointer, safe="/~:@!$&'()*+,;=")


def compare_url(contract: str, old: str, new: str) -> str:
    """The page that compares two versions."""
    return f"/contracts/{quote(contract)}/compare/{quote(old)}...{quote(new)}"


def service_url(name: str) -> str:
    """The page of a service."""
    return f"/services/{quote(name)}"


def entry_url(subject: str, kind: str) -> str:
    """The page that an entry of the audit feed is about, empty where there is none."""
    thing, _, version = subject.rpartition("@")
    if kind in ("publication", "retirement", "acceptance", "release") and "/" in thing:
        return contract_url(thing, version)
    if kind in ("package", "package-name"):
        return f"/packages#{quote(subject.partition('==')[0])}"
    if kind in ("service", "deployment"):
        return service_url(thing or subject)
    if kind.startswith("replay-") and "#" in subject:
        return letters_url(*subject.split("#", 1))
    if kind == "replay":
        return "/dead-letters"
    if kind.startswith("drain-"):
        return drain_url(*subject.split("#", 1)) if "#" in subject else "/drains"
    return ""


def drain_url(contract: str, pointer: str) -> str:
    """The place of an obsolete field on the drain board."""
    return f"/drains?contract={quote(contract)}#{quote(contract + pointer)}"


def letters_url(topic: str, fingerprint: str, cluster: str = "") -> str:
    """The page of one kind of dead letter."""
    page = f"/dead-letters/{quote(topic)}/{quote(fingerprint)}"
    return f"{page}?cluster={quote(cluster)}" if cluster else page


def order_url(id_: str) -> str:
    """The page of a replay order."""
    return f"/replay-orders/{quote(id_)}"


def progress(order: Mapping[str, Any]) -> str:
    """How an order stands, in a word that changes when its page does."""
    return f"{order['state']}:{order['claim']['worker'] if order['claim'] else ''}"


def visible(text: str) -> str:
    """A foreign text with what would be unseen, or would turn the text around it, written out."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in text)


def compact(value: Any) -> str:
    """A JSON value on one line, numbers exact."""
    return dump(value).decode()


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 version`, `1,204 versions`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def code(text: str) -> Markup:
    """A sentence whose words in backquotes are code."""
    parts = str(escape(text)).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts)))  # noqa: S704 - escaped above


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "level": level,
    "state": state,
    "when": when,
    "contract_url": contract_url,
    "field_url": field_url,
    "anchor": anchor,
    "compare_url": compare_url,
    "service_url": service_url,
    "entry_url": entry_url,
    "letters_url": letters_url,
    "order_url": order_url,
    "progress": progress,
    "visible": visible,
    "drain_url": drain_url,
    "pretty": pretty,
    "compact": compact,
    "count": count,
    "code": code,
    "map_drawing": map_drawing,
    "sparkline": sparkline,
    "moment": moment,
    "roles": ROLES.get,
}
