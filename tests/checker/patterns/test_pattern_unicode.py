"""Character sets against an engine that carries Unicode's own tables, character by character."""

from __future__ import annotations

import unicodedata

import pytest
from deedbox.checker.patterns import charset, properties, readable, scripts

regress = pytest.importorskip("regress", reason="regress, an ECMA-262 engine to compare with, is not installed")

# What this Python's Unicode has assigned; the engine's Unicode may be newer.
ASSIGNED = [
    code
    for code in range(0x110000)
    if not 0xD800 <= code < 0xE000 and unicodedata.category(chr(code)) not in ("Cn", "Co")
]
NAMES = [
    *properties._CATEGORIES,
    *sorted(set(properties._CATEGORIES.values())),
    *("gc=Lu", "General_Category=Letter", "Any", "ASCII", "Assigned", "White_Space", "space", "Lowercase", "Uppercase"),
    *("XID_Start", "XID_Continue", "Hex_Digit", "AHex", "Noncharacter_Code_Point"),
]


@pytest.mark.parametrize("name", NAMES)
def test_properties(name: str) -> None:
    ours, theirs = properties.named(name), regress.Regex(rf"\p{{{name}}}", "u")
    assert ours is not None
    newer = range(0xA7F2, 0xA7F5)  # modifier letters that a later Unicode made Lowercase
    assert [c for c in ASSIGNED[::11] if (c in ours) != (theirs.find(chr(c)) is not None) and c not in newer] == []


@pytest.mark.parametrize("name", sorted(scripts.NAMES))
def test_scripts(name: str) -> None:
    ours, theirs = scripts.script(name), regress.Regex(rf"\p{{Script={name}}}", "u")
    assert ours is not None
    # All but the long blocks of ideographs and syllables, of which every ninth.
    codes = [c for c in ASSIGNED if not (0x3400 <= c < 0xD7A4 or c >= 0x20000) or c % 9 == 0]
    assert [hex(c) for c in codes if (c in ours) != (theirs.find(chr(c)) is not None)] == []


@pytest.mark.parametrize(
    ("escape", "ours"),
    [(r"\s", charset.SPACE), (r"\w", charset.WORD), (r"\d", charset.DIGIT), (".", charset.DOT)],
)
def test_escapes(escape: str, ours: charset.CharSet) -> None:
    theirs = regress.Regex(escape, "u")
    assert [c for c in range(0x10000) if not 0xD800 <= c < 0xE000 and (c in ours) != bool(theirs.find(chr(c)))] == []


def test_case_is_ignored_as_by_simple_folding() -> None:
    classes = charset._case_classes()
    for code in (c for c in ASSIGNED if c < 0x20000):
        character = chr(code)
        others = {ord(o) for o in (character.lower(), character.upper(), character.casefold()) if len(o) == 1}
        others |= set(classes.get(code, ()))
        if others == {code}:
            continue
        theirs = regress.Regex(rf"^\u{{{code:x}}}$", "iu")
        assert {o for o in others if theirs.find(chr(o))} == set(classes.get(code, (code,)))


def test_readable_order_names_each_character_once() -> None:
    for low, high in ((0, 0x2FF), (0xD000, 0xE100), (0xFFF0, 0x10050), (0x3FFF0, 0x40010), (0x41, 0x41)):
        codes = [code for _, code in readable.preferred(low, high)]
        assert sorted(codes) == [c for c in range(low, high + 1) if not 0xD800 <= c < 0xE000]
    assert readable.best(0, 0x10FFFF) == (0, ord("a"))
    assert readable.best(0xD800, 0xDFFF) is None
