from __future__ import annotations

import pickle
from decimal import Decimal

import pytest
from deedbox.checker.canonical import canonical, digest
from deedbox.checker.documents import load_document
from deedbox.checker.errors import (
    DocumentError,
    DuplicateKey,
    NotJsonValue,
    SyntaxInvalid,
    TooLarge,
)
from deedbox.checker.json_values import MAX_DEPTH
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "error", "line", "pointer", "says"),
    [
        ('{"a": 1,\n "a": 2}', DuplicateKey, 2, "/a", "twice"),
        ('{"x": {"b": 1,\n\n "b": 2}}', DuplicateKey, 3, "/x/b", "twice"),
        ('{"a": NaN}', NotJsonValue, 1, "/a", "NaN"),
        ("[1,\n -Infinity]", NotJsonValue, 2, "/1", "Infinity"),
        ('{"a": [1,\n1e99999]}', NotJsonValue, 2, "/a/1", "1000 digits"),
        ('{"a": ' + "9" * 5000 + "}", NotJsonValue, 1, "/a", "1000 digits"),
        ('{"a": "\\ud800"}', NotJsonValue, None, "/a", "surrogate"),
        ('{"a": 1', SyntaxInvalid, 1, None, "not JSON"),
        ('{"a": 1,\n}', SyntaxInvalid, 2, None, "not JSON"),
        ("a: 1\na: 2", DuplicateKey, 2, "/a", "twice"),
        ("a:\n\t- 1", SyntaxInvalid, 2, None, "spaces"),
        ("a: .nan", NotJsonValue, 1, "/a", ".nan"),
        ("a: 1\n---\nb: 2", SyntaxInvalid, 2, None, "second YAML document"),
        ("a: *nobody", SyntaxInvalid, 1, "/a", "anchor"),
        ("a: &x [*x]", NotJsonValue, 1, "/a/0", "contains itself"),
        ("? [1, 2]\n: 3", NotJsonValue, 1, "", "key"),
        ("a: !!python/object:os.system 1", NotJsonValue, 1, "/a", "python/object"),
        ("", SyntaxInvalid, 1, None, "empty"),
        ("a: [", SyntaxInvalid, 1, None, "not YAML"),
    ],
)
def test_bad_text_says_where(
    text: str, error: type[DocumentError], line: int | None, pointer: str | None, says: str
) -> None:
    with pytest.raises(error) as caught:
        load_document(text, "contract")
    assert (caught.value.line, caught.value.pointer) == (line, pointer)
    assert says in str(caught.value)
    assert str(caught.value).startswith("contract:")


def test_errors_travel_between_processes() -> None:
    with pytest.raises(DuplicateKey) as caught:
        load_document('{"a": 1, "a": 2}', "f.json")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.line, type(again)) == (str(caught.value), 1, DuplicateKey)


def test_bytes_that_are_no_utf8_say_their_line() -> None:
    with pytest.raises(SyntaxInvalid) as caught:
        load_document(b'{"a":\n "\xff"}')
    assert caught.value.line == 2


@pytest.mark.parametrize("text", ['{"a":' * 10_000 + "1" + "}" * 10_000, "[" * 100_000, "a: " + "[" * 5_000])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises((TooLarge, SyntaxInvalid)):
        load_document(text)


def test_the_deepest_document_allowed_is_read() -> None:
    load_document("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(TooLarge):
        load_document("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_an_alias_bomb_is_counted_not_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(TooLarge, match="aliases") as caught:
        load_document("\n".join(lines), "bomb.yaml")
    assert caught.value.line == 7


def test_yaml_is_read_by_the_core_schema_of_1_2() -> None:
    text = "a: no\nb: 012\nc: 0x1F\nd: ~\ne: 2026-01-31\nf: 1.50\n200: ok\ng: !!str 5\nh: '1'\non: on\n"
    assert load_document(text).value == {
        "a": "no", "b": 12, "c": 31, "d": None, "e": "2026-01-31", "f": Decimal("1.5"), "200": "ok", "g": "5", "h": "1",
        "on": "on",
    }  # fmt: skip


def test_yaml_merges_and_aliases() -> None:
    document = load_document("base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\n")
    assert document.value["more"] == {"x": 1, "y": 3}
    assert document.line("/more/y") == 4


def test_positions_in_json() -> None:
    document = load_document('{\n  "a": {\n    "b/c": [1,\n      {"d": null}]\n  }\n}')
    assert document.position("/a/b~1c/1/d") == (4, 8)
    assert document.line("/a/b~1c/1") == 4
    assert document.line("/a/gone/too") == 2
    assert load_document({"a": 1}).line("/a") is None


def test_numbers_are_exact() -> None:
    value = load_document("[1.0, 1e2, 9007199254740993, 0.1, 1.10, -0.0, 1e-400]").value
    assert value == [1, 100, 9007199254740993, Decimal("0.1"), Decimal("1.1"), 0, Decimal("1e-400")]
    assert [type(v) for v in value[:3]] == [int, int, int]
    assert load_document({"a": 1.0, "b": 0.1}).value == {"a": 1, "b": Decimal("0.1")}


def test_more_digits_than_a_decimal_context_are_kept() -> None:
    text = "0." + "1" * 60
    assert canonical(load_document(f"[{text}]").value) == f"[{text}]".encode()


@pytest.mark.parametrize("value", [{1: 2}, {"a": {3}}, [float("nan")], {"a": float("inf")}, ["\ud800"]])
def test_values_that_json_cannot_say(value: object) -> None:
    with pytest.raises(NotJsonValue):
        load_document(value)


def test_canonical_form() -> None:
    assert (
        canonical({"b": 1, "a": [True, None, "é\n\x01/"], "": {}})
        == '{"":{},"a":[true,null,"é\\n\\u0001/"],"b":1}'.encode()
    )
    # RFC 8785 §3.2.3: by UTF-16 units, in which U+1F600 (a surrogate pair) comes before U+FB33.
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()
    assert canonical([Decimal("1E-9"), Decimal("1.5"), Decimal("0.00001"), 10**30]) == (
        b"[1e-9,1.5,0.00001,1000000000000000000000000000000]"
    )


def test_digests_tell_big_integers_apart() -> None:
    assert digest(2**53) != digest(2**53 + 1)
    assert digest(load_document("[1.0]").value) == digest([1])


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(_values)
def test_canonical_text_reads_back_as_the_value(value: object) -> None:
    try:
        expected = load_document([value]).value
    except NotJsonValue:
        return  # a lone surrogate among the drawn keys
    text = canonical(expected)
    assert load_document(text, "x.json").value == expected
    assert canonical(load_document(text, "x.json").value) == text
