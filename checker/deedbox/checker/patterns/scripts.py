"""`\\p{Script=…}` for the scripts most written: told from the names of characters, and from lists where names mislead.

Python's character database has no Script property. A character's name begins with its script's, save for those listed:
`more` belong to the script under other names (compatibility letters, digits), `less` bear its name but are shared with
other scripts (Common, Inherited). Checked against Unicode's own assignment, character by character, in the tests.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from deedbox.checker.patterns.charset import CharSet


@dataclass(frozen=True, slots=True)
class _Script:
    alias: str
    prefixes: tuple[str, ...]
    more: str = ""
    less: str = ""


_SCRIPTS = {
    "Arabic": _Script(
        "Arab",
        ("ARABIC ",),
        "606-607 609-60B 660-669 6F0-6F9 FDFC 10E60-10E7E",
        "605 60C 61B 61F 640 64B-655 670 6DD 8E2",
    ),
    "Armenian": _Script("Armn", ("ARMENIAN ",), "58D-58E"),
    "Bengali": _Script("Beng", ("BENGALI ",)),
    "Cyrillic": _Script(
        "Cyrl", ("CYRILLIC ",), "483-484 487-489 1D78 2DE0-2DFF A66F-A67D A69C-A69F FE2E-FE2F 1E030-1E06D 1E08F"
    ),
    "Devanagari": _Script("Deva", ("DEVANAGARI ",), "A8E0-A8F1", "951-954 964-965"),
    "Georgian": _Script("Geor", ("GEORGIAN ",), "10FC", "10FB"),
    "Greek": _Script("Grek", ("GREEK ",), "1D5D-1D61 1DBF 2126 1018E 1D242-1D244", "374 37E 385 387"),
    "Han": _Script(
        "Hani",
        ("CJK UNIFIED IDEOGRAPH-", "CJK COMPATIBILITY IDEOGRAPH-", "CJK RADICAL ", "KANGXI RADICAL "),
        "3005 3007 3021-3029 3038-303B 16FE2-16FE3 16FF0-16FF1",
    ),
    "Hangul": _Script("Hang", ("HANGUL ",), "3200-321E 3260-327E FFA0-FFBE FFC2-FFC7 FFCA-FFCF FFD2-FFD7 FFDA-FFDC"),
    "Hebrew": _Script("Hebr", ("HEBREW ",)),
    "Hiragana": _Script("Hira", ("HIRAGANA ",), "1B002-1B11E 1F200"),
    "Katakana": _Script("Kana", ("KATAKANA ",), "32D0-32FE 3300-3357 FF66-FF6F FF71-FF9D", "30FB"),
    "Latin": _Script(
        "Latn",
        ("LATIN ",),
        "AA BA 2B0-2B8 2E0-2E4 1D2C-1D5C 1D9B-1DBE 2071 207F 212A-212B 2132 214E 2160-2183 2185-2188 2C7D A770"
        " A7F2-A7F4 A7F8-A7F9 AB5C-AB5F AB69 FF21-FF3A FF41-FF5A 10780-10785 10787-107B0 107B2-107BA",
        "271D",
    ),
    "Tamil": _Script("Taml", ("TAMIL ",)),
    "Thai": _Script("Thai", ("THAI ",), less="E3F"),
}
_BY_ALIAS = {script.alias: name for name, script in _SCRIPTS.items()}
NAMES = frozenset(_SCRIPTS) | frozenset(_BY_ALIAS)


def _listed(ranges: str) -> CharSet:
    pairs = (entry.partition("-") for entry in ranges.split())
    return CharSet.of_ranges((int(low, 16), int(high or low, 16)) for low, _, high in pairs)


@lru_cache(maxsize=32)
def script(name: str) -> CharSet | None:
    """The characters of a script, by its long name or its alias of four letters; None where it is not one of `NAMES`."""
    found = _SCRIPTS.get(_BY_ALIAS.get(name, name))
    if found is None:
        return None
    named = (code for code in range(0x40000) if unicodedata.name(chr(code), "").startswith(found.prefixes))
    by_name = CharSet.of_ranges((code, code) for code in named)
    more = CharSet.of_ranges(
        (code, code)
        for low, high in _listed(found.more).ranges()
        for code in range(low, high + 1)
        if unicodedata.category(chr(code)) != "Cn"
    )
    return (by_name | more) - _listed(found.less)
