"""AsyncAPI: each operation's own direction, both major versions, what is not compared is undecided by name."""

from __future__ import annotations

from typing import Any

import pytest
from deedbox.checker import DocumentError, compare
from deedbox.checker.apis.errors import NotAnApi, UnsupportedVersion

OPEN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
NEEDED: dict[str, Any] = OPEN | {"required": ["a"]}


def version_2(payload: Any, action: str, **message: Any) -> dict[str, Any]:
    key = "subscribe" if action == "send" else "publish"
    return {"asyncapi": "2.6.0", "info": {"title": "t", "version": "1"},
            "channels": {"c": {key: {"message": {"name": "M", "payload": payload} | message}}}}  # fmt: skip


def version_3(payload: Any, action: str, **message: Any) -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0", "info": {"title": "t", "version": "1"},
        "channels": {"x": {"address": "c", "messages": {"M": {"payload": payload} | message}}},
        "operations": {"o": {"action": action, "channel": {"$ref": "#/channels/x"}}},
    }  # fmt: skip


@pytest.mark.parametrize("make", [version_2, version_3])
def test_what_is_received_is_asked_the_one_way_and_what_is_sent_the_other(make: Any) -> None:
    def verdict(old: Any, new: Any, action: str) -> str:
        return compare(make(old, action), make(new, action), format="asyncapi").judge("provides").verdict

    assert verdict(OPEN, NEEDED, "receive") == "breaking"
    assert verdict(NEEDED, OPEN, "receive") == "additive"
    assert verdict(OPEN, NEEDED, "send") == "additive"
    assert verdict(NEEDED, OPEN, "send") == "breaking"


@pytest.mark.parametrize("action", ["send", "receive"])
def test_the_major_versions_are_compared_like_with_like(action: str) -> None:
    assert (
        compare(version_2(OPEN, action), version_3(OPEN, action), format="asyncapi").judge("provides").verdict
        == "patch"
    )


def test_every_role_keeps_each_operations_own_direction() -> None:
    comparison = compare(version_3(OPEN, "receive"), version_3(NEEDED, "receive"), format="asyncapi")
    for role in ("provides", "produces", "consumes"):
        assert comparison.judge(role).verdict == "breaking"  # type: ignore[arg-type]


def test_headers_are_compared_too_and_traits_bring_them() -> None:
    def document(headers: Any) -> dict[str, Any]:
        return version_3(OPEN, "receive", traits=[{"headers": headers}])

    (finding,) = [
        f for f in compare(document(OPEN), document(NEEDED), format="asyncapi").judge("provides").findings
        if f.level == "breaking"
    ]  # fmt: skip
    assert finding.witness is not None
    assert finding.witness.value == {"channel": "c", "headers": {}}


def test_each_channel_that_moved_is_compared_with_itself() -> None:
    """By its name and by what the application does there, whatever else has moved."""

    def document(start: str) -> dict[str, Any]:
        channels = {n: {"address": f"{start}.{n}", "messages": {"M": {"payload": {"const": n}}}} for n in ("x", "y")}
        places = [(n, action, {"$ref": f"#/channels/{n}"}) for n in channels for action in ("receive", "send")]
        operations = {f"{action}-{n}": {"action": action, "channel": channel} for n, action, channel in places}
        return {
            "asyncapi": "3.0.0",
            "info": {"title": "t", "version": "1"},
            "channels": channels,
            "operations": operations,
        }

    findings = compare(document("old"), document("new"), format="asyncapi").findings
    assert {f.rule for f in findings} == {"channel-address-changed"}
    assert {(f.pointer, f.message.partition(" (")[0]) for f in findings} == {
        (f"/channels/{n}", f"the channel was at old.{n} and is at new.{n}") for n in ("x", "y")
    }


def test_a_draft_7_tuple_is_read_as_draft_7() -> None:
    old = {"type": "array", "items": [{"type": "string"}], "additionalItems": {"type": "integer"}}
    new = {"type": "array", "items": [{"type": "string"}], "additionalItems": False}
    verdicts = [
        compare(version_2(a, "receive"), version_2(b, "receive"), format="asyncapi").judge("provides").verdict
        for a, b in ((old, new), (new, old))
    ]
    assert verdicts == ["breaking", "additive"]


@pytest.mark.parametrize(
    "language", ["application/vnd.apache.avro;version=1.9.0", "application/vnd.google.protobuf;version=3"]
)
def test_another_schema_language_is_undecided_when_it_changed(language: str) -> None:
    def document(name: str) -> dict[str, Any]:
        return version_3({"schemaFormat": language, "schema": {"type": "record", "name": name}}, "send")

    assert compare(document("A"), document("A"), format="asyncapi").judge("provides").verdict == "identical"
    judgement = compare(document("A"), document("B"), format="asyncapi").judge("provides")
    assert judgement.verdict == "undecided"
    assert any(language in f.message for f in judgement.findings)


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("asyncapi: 4.0.0\nchannels: {}\n", UnsupportedVersion, 1),
        ("asyncapi: 3.0.0\noperations:\n  o: {action: shout}\n", NotAnApi, 3),
        ("asyncapi: 3.0.0\noperations:\n  o: {action: send}\n", NotAnApi, 3),
        ("asyncapi: 2.6.0\nchannels: []\n", NotAnApi, 2),
    ],
)
def test_bad_asyncapi_documents_are_refused_with_their_line(text: str, kind: type[DocumentError], line: int) -> None:
    with pytest.raises(kind) as caught:
        compare(text, text, format="asyncapi")
    assert caught.value.line == line, str(caught.value)
