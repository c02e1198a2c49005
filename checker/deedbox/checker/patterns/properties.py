"""`\\p{…}`: the Unicode properties that Python's own character database can tell (ECMA-262 tables 67 to 70)."""

from __future__ import annotations

import itertools
import unicodedata
from functools import lru_cache

from deedbox.checker.patterns import scripts
from deedbox.checker.patterns.charset import ANY, CharSet
from deedbox.checker.patterns.errors import NotRegular

# Long names of general categories, UCD's PropertyValueAliases.
_CATEGORIES = {
    "Cased_Letter": "LC", "Close_Punctuation": "Pe", "Connector_Punctuation": "Pc", "Control": "Cc", "cntrl": "Cc",
    "Currency_Symbol": "Sc", "Dash_Punctuation": "Pd", "Decimal_Number": "Nd", "digit": "Nd", "Enclosing_Mark": "Me",
    "Final_Punctuation": "Pf", "Format": "Cf", "Initial_Punctuation": "Pi", "Letter": "L", "Letter_Number": "Nl",
    "Line_Separator": "Zl", "Lowercase_Letter": "Ll", "Mark": "M", "Combining_Mark": "M", "Math_Symbol": "Sm",
    "Modifier_Letter": "Lm", "Modifier_Symbol": "Sk", "Nonspacing_Mark": "Mn", "Number": "N",
    "Open_Punctuation": "Ps", "Other": "C", "Other_Letter": "Lo", "Other_Number": "No", "Other_Punctuation": "Po",
    "Other_Symbol": "So", "Paragraph_Separator": "Zp", "Private_Use": "Co", "Punctuation": "P", "punct": "P",
    "Separator": "Z", "Space_Separator": "Zs", "Spacing_Mark": "Mc", "Surrogate": "Cs", "Symbol": "S",
    "Titlecase_Letter": "Lt", "Unassigned": "Cn", "Uppercase_Letter": "Lu",
}  # fmt: skip
_BINARY_ALIASES = {
    "AHex": "ASCII_Hex_Digit", "Hex": "Hex_Digit", "Lower": "Lowercase", "Upper": "Uppercase",
    "space": "White_Space", "NChar": "Noncharacter_Code_Point", "XIDS": "XID_Start", "XIDC": "XID_Continue",
}  # fmt: skip
_HEX = CharSet.of_text("0123456789abcdefABCDEF")
# ECMA-262 knows more; saying which are merely out of reach here keeps them apart from misspelt ones.
_OUT_OF_REACH = frozenset(
    [
        "Alphabetic",
        "Bidi_Control",
        "Bidi_C",
        "Bidi_Mirrored",
        "Bidi_M",
        "Case_Ignorable",
        "CI",
        "Cased",
        "Changes_When_Casefolded",
        "CWCF",
        "Changes_When_Casemapped",
        "CWCM",
        "Changes_When_Lowercased",
        "CWL",
        "Changes_When_NFKC_Casefolded",
        "CWKCF",
        "Changes_When_Titlecased",
        "CWT",
        "Changes_When_Uppercased",
        "CWU",
        "Dash",
        "Default_Ignorable_Code_Point",
        "DI",
        "Deprecated",
        "Dep",
        "Diacritic",
        "Dia",
        "Emoji",
        "Emoji_Component",
        "EComp",
        "Emoji_Modifier",
        "EMod",
        "Emoji_Modifier_Base",
        "EBase",
        "Emoji_Presentation",
        "EPres",
        "Extended_Pictographic",
        "ExtPict",
        "Extender",
        "Ext",
        "Grapheme_Base",
        "Gr_Base",
        "Grapheme_Extend",
        "Gr_Ext",
        "ID_Continue",
        "IDC",
        "ID_Start",
        "IDS",
        "Ideographic",
        "Ideo",
        "IDS_Binary_Operator",
        "IDSB",
        "IDS_Trinary_Operator",
        "IDST",
        "Join_Control",
        "Join_C",
        "Logical_Order_Exception",
        "LOE",
        "Math",
        "Pattern_Syntax",
        "Pat_Syn",
        "Pattern_White_Space",
        "Pat_WS",
        "Quotation_Mark",
        "QMark",
        "Radical",
        "Regional_Indicator",
        "RI",
        "Sentence_Terminal",
        "STerm",
        "Soft_Dotted",
        "SD",
        "Terminal_Punctuation",
        "Term",
        "Unified_Ideograph",
        "UIdeo",
        "Variation_Selector",
        "VS",
    ]
)
# All that Unicode has assigned or will soon; beyond lie unassigned planes and the two private ones.
_DENSE = (range(0x40000), range(0xE0000, 0xE1000))


@lru_cache(maxsize=1)
def _by_category() -> dict[str, CharSet]:
    ranges: dict[str, list[tuple[int, int]]] = {}
    for span in _DENSE:
        for category, run in itertools.groupby(span, lambda code: unicodedata.category(chr(code))):
            codes = list(run)
            ranges.setdefault(category, []).append((codes[0], codes[-1]))
    ranges["Cn"] += [(0x40000, 0xDFFFF), (0xE1000, 0xEFFFF), (0xFFFFE, 0xFFFFF), (0x10FFFE, 0x10FFFF)]
    ranges["Co"] += [(0xF0000, 0xFFFFD), (0x100000, 0x10FFFD)]
    return {category: CharSet.of_ranges(found) for category, found in ranges.items()}


def _category(name: str) -> CharSet | None:
    short = _CATEGORIES.get(name, name)
    categories = _by_category()
    if short == "LC":
        return categories["Lu"] | categories["Ll"] | categories["Lt"]
    if short in categories:
        return categories[short]
    if len(short) == 1 and short in "LMNPSZC":
        return CharSet.of_ranges(r for key, chars in categories.items() if key[0] == short for r in chars.ranges())
    return None


def _where(predicate: str, prefix: str = "") -> CharSet:
    """Code points for which a method of str says yes: islower and isupper are the derived core properties."""
    codes = (code for span in _DENSE for code in span)
    return CharSet.of_ranges((code, code) for code in codes if getattr(prefix + chr(code), predicate)())


@lru_cache(maxsize=256)
def _binary(name: str) -> CharSet | None:
    match _BINARY_ALIASES.get(name, name):
        case "Any":
            return ANY
        case "ASCII":
            return CharSet((0, 128))
        case "Assigned":
            return ~_by_category()["Cn"]
        case "ASCII_Hex_Digit":
            return _HEX
        case "Hex_Digit":
            wide = [(low + 0xFEE0, high + 0xFEE0) for low, high in _HEX.ranges()]
            return _HEX | CharSet.of_ranges(wide)
        case "White_Space":
            controls = CharSet.of_ranges([(9, 13), (0x85, 0x85), (0x2028, 0x2029)])
            return controls | _by_category()["Zs"]
        case "Noncharacter_Code_Point":
            ends = [(plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)]
            return CharSet.of_ranges([(0xFDD0, 0xFDEF), *ends])
        case "Lowercase":
            return _where("islower")
        case "Uppercase":
            return _where("isupper")
        case "XID_Start":
            return _where("isidentifier") - CharSet.of_text("_")
        case "XID_Continue":
            return _where("isidentifier", "a")
    return None


def named(expression: str) -> CharSet | None:
    """The set that `\\p{expression}` stands for, None where ECMA-262 knows no such property.

    Raises:
        NotRegular: a property that Python's character database does not hold.
    """
    name, equals, value = expression.partition("=")
    if equals:
        if name in ("General_Category", "gc"):
            return _category(value)
        if name in ("Script", "sc") and (chars := scripts.script(value)) is not None:
            return chars
        if name in ("Script", "sc", "Script_Extensions", "scx"):
            raise NotRegular(f"the set of characters of \\p{{{expression}}} is not known here; list its ranges instead")
        return None
    found = _category(name) or _binary(name)
    if found is None and name in _OUT_OF_REACH:
        raise NotRegular(f"the set of characters of \\p{{{expression}}} is not known here; list its ranges instead")
    return found
