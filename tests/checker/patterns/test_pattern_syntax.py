"""What each construct of ECMA-262 matches, and how what is none is refused."""

from __future__ import annotations

import pickle

import pytest
from deedbox.checker.patterns import MatchUndecided, NotRegular, PatternError, compile_pattern

# pattern, texts that it is found in, texts that it is not found in
MATCHES: list[tuple[str, list[str], list[str]]] = [
    ("", ["", "a"], []),
    ("a", ["a", "xax"], ["", "A"]),
    ("^a", ["a", "ab"], ["ba", "\na"]),
    ("a$", ["a", "ba"], ["ab", "a\n"]),
    ("^$", [""], ["a", "\n"]),
    ("^a|b", ["ab", "cb"], ["ca"]),
    ("(?:^|,)a", ["a", "x,a"], ["xa"]),
    ("a^b|$", ["", "ab"], []),
    ("x*^a", ["a", "ab"], ["xa", "ba"]),
    ("(?:x|^)a", ["a", "xa", "bxa"], ["ba"]),
    # dot and classes
    ("^.$", ["a", "\t", "\x85", "\U0001f600"], ["", "ab", "\n", "\r", "\u2028", "\u2029"]),
    (r"^\d$", ["0", "9"], ["a", "\u0661", "\uff11"]),
    (r"^\D$", ["a", "\u0661"], ["0"]),
    (r"^\w$", ["a", "Z", "0", "_"], ["-", "\xe9", "\u212a"]),
    (r"^\W$", ["-", "\xe9"], ["a", "_"]),
    (
        r"^\s$",
        list(" \t\n\v\f\r\xa0\u1680\u2003\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"),
        ["a", "\u200b", "\x85", "\x1c"],
    ),
    (r"^\S$", ["a", "\u200b", "\x85"], [" ", "\ufeff"]),
    ("^[a-c]$", ["a", "b", "c"], ["d", "-"]),
    ("^[^a-c]$", ["d", "\n"], ["a", ""]),
    ("[]", [], ["", "a"]),
    ("^[^]$", ["a", "\n"], [""]),
    ("^[a-]$", ["a", "-"], ["b"]),
    ("^[-a]$", ["a", "-"], ["b"]),
    (r"^[\w-.]$", ["a", "-", "."], [",", "/"]),
    (r"^[a-\d]$", ["a", "-", "5"], ["b"]),
    (r"^[\]\\]$", ["]", "\\"], ["["]),
    (r"^[\b]$", ["\b"], ["b"]),
    ("^[[]$", ["["], ["]"]),
    ("^[.*+?(){}|^$]$", [".", "*", "+", "?", "(", ")", "{", "}", "|", "^", "$"], ["a"]),
    (r"^[\s\S]$", ["a", "\n"], [""]),
    (r"^[^\s\S]$", [], ["a", ""]),
    (r"^[\cA-\cC]$", ["\x01", "\x03"], ["A"]),
    (r"^[\c1]$", ["\x11"], ["c", "1"]),
    # escapes
    (r"^\t\n\v\f\r$", ["\t\n\v\f\r"], ["tnvfr"]),
    (r"^\cC\cj$", ["\x03\n"], ["Cj"]),
    (r"^\c$", ["\\c"], ["c"]),
    (r"^\0$", ["\0"], ["0"]),
    (r"^\x41\u0042\u{43}\u{00044}$", ["ABCD"], ["x41"]),
    (r"^\ud83d\ude00$", ["\U0001f600"], ["\ud83d"]),
    (r"^\u{1f600}$", ["\U0001f600"], [""]),
    (r"^\-\/\_\@\ \"\#\~\.$", ['-/_@ "#~.'], [""]),
    (r"^\101\7\08$", ["A\x07\x008"], ["101"]),
    (r"^\1$", ["\x01"], ["1", ""]),
    (r"^\8$", ["8"], [""]),
    ("^a{$", ["a{"], ["a"]),
    ("^a{,3}]}$", ["a{,3}]}"], ["a"]),
    ("^{a}$", ["{a}"], ["a"]),
    # quantifiers
    ("^a*$", ["", "aaa"], ["b"]),
    ("^a+?$", ["a", "aaa"], [""]),
    ("^a??$", ["", "a"], ["aa"]),
    ("^a{2}$", ["aa"], ["a", "aaa"]),
    ("^a{2,}$", ["aa", "aaaa"], ["a"]),
    ("^a{2,3}?$", ["aa", "aaa"], ["a", "aaaa"]),
    ("^a{0}$", [""], ["a"]),
    ("^(a|b){2}$", ["ab", "ba"], ["a", "abc"]),
    ("^(?:ab){2,3}$", ["abab", "ababab"], ["ab", "abababab"]),
    ("^(?:a{2}){3}$", ["aaaaaa"], ["aaaaa"]),
    ("^(?:a{2,3}){0,2}$", ["", "aa", "aaaaaa"], ["a", "aaaaaaa"]),
    ("^(?:a{3}){0,2}$", ["", "aaa", "aaaaaa"], ["a", "aaaa"]),
    ("^(?:a*)*$", ["", "aaa"], ["b"]),
    ("^(?:a|)+$", ["", "aaa"], ["b"]),
    ("^(?:a?){3}$", ["", "aaa"], ["aaaa"]),
    ("^(?:(?:a|b)*c)+$", ["c", "abcc"], ["", "ab"]),
    ("^()*()$", [""], ["a"]),
    # groups
    ("^(?<year>[0-9]{4})$", ["2026"], ["26"]),
    ("^(?:a|b|)$", ["", "a", "b"], ["c"]),
    ("^((((a))))$", ["a"], ["aa"]),
    ("^(?i:ab)c$", ["abc", "ABc", "aBc"], ["abC"]),
    ("^(?i:\u212a)$", ["k", "K", "\u212a"], ["c"]),
    ("^(?i:\xdf)$", ["\xdf", "\u1e9e"], ["ss", "s"]),
    ("^(?i:[^a])$", ["b"], ["a", "A"]),
    (r"^(?i:\w)$", ["a", "\u017f", "\u212a"], ["\xe9"]),
    ("^(?s:.)$", ["\n"], [""]),
    ("(?m:^a$)", ["b\na\nc", "a"], ["ba", "ab"]),
    ("^(?i:a(?-i:b))$", ["Ab", "ab"], ["aB"]),
    # assertions
    (r"\bfoo\b", ["foo", "a foo.", "-foo"], ["food", "afoo", "_foo"]),
    (r"^\b", ["a"], ["", "-"]),
    (r"\B", ["", "ab", "--"], ["a"]),
    (r"a\B.", ["ab", "aab"], ["a", "a-"]),
    ("^(?=ab)a", ["ab", "abc"], ["ac"]),
    ("^(?!ab)a", ["ac", "a"], ["ab"]),
    ("^(?=.*[0-9])(?=.*[a-z])[a-z0-9]{3,}$", ["a1b", "00x"], ["abc", "123", "a1"]),
    ("^(?=.{1,4}$)[a-z]+(?:-[a-z]+)*$", ["a-bc", "abcd"], ["a-bcd", ""]),
    ("^(?:(?!--)[a-z-])*$", ["a-b", ""], ["a--b"]),
    ("(?<=a)b", ["ab", "xab"], ["b", "cb"]),
    ("(?<!a)b", ["b", "cb"], ["ab"]),
    ("(?<=^|,)x", ["x", "a,x"], ["ax"]),
    (r"(?<=\d{2,3})x", ["12x", "1234x"], ["1x"]),
    ("(?<=(?<!b)a)c", ["ac", "dac"], ["bac", "c"]),
    ("(?<=a*)b", ["b", "aab"], ["a"]),
    ("(?=a)*b", ["b", "ab"], ["a"]),
    ("(?:(?=a)|b){2}a", ["a", "ba"], ["b"]),
    ("(?!)", [], ["", "a"]),
    ("^(?=a(?!b)).*c$", ["ac", "axc"], ["abc"]),
    # properties
    (r"^\p{L}$", ["a", "\xe9", "\u4e2d"], ["1", "_"]),
    (r"^\p{Letter}\p{Lu}\P{Lu}$", ["aAa"], ["aaa"]),
    (r"^\p{gc=Nd}\p{General_Category=Decimal_Number}$", ["1\u0661"], ["ab"]),
    (r"^[\p{Lu}\p{Nd}]$", ["A", "1"], ["a"]),
    (r"^[^\P{Lu}]$", ["A"], ["a"]),
    (r"^\p{ASCII}\p{Any}$", ["a\u4e2d"], ["\xe9a"]),
    (r"^\p{White_Space}$", ["\x85", " "], ["\ufeff", "a"]),
    (r"^\p{Script=Greek}\p{sc=Cyrl}$", ["\u03b1\u0430"], ["ab"]),
    (r"^\p{LC}$", ["a", "A", "\u01c5"], ["\u4e2d"]),
    (r"^\p{C}$", ["\0", "\u0378", "\U000e0fff", "\U000ffffe"], ["a"]),
    # no regular language
    (r"^(a|b)\1$", ["aa", "bb"], ["ab"]),
    (r"^(?<q>['\"])[^'\"]*\k<q>$", ["'a'", '"a"'], ["'a\""]),
    (r"^(?:(a)|b)\1$", ["aa", "b"], ["ab"]),
    (r"^(?:(a)|b)*\1$", ["ab", "aa", "b"], ["ba" + "c"]),
    (r"^\2(a)(b)?$", ["a", "ab"], ["b"]),
    (r"^(?i:(a)\1)$", ["aA"], ["ab"]),
    (r"(?<=\1(a))b", ["aab"], ["ab", "b"]),
    (r"^(?=(a+))\1b$", ["aab"], ["aa"]),
    (r"^(?!(a)\1)a", ["ab"], ["aa"]),
    (r"^(a*?)b\1$", ["b", "aba"], ["ab"]),
    (r"^(?:(a){2,3}){0,2}?\1c$", ["c", "aaac"], ["aac"]),
]


@pytest.mark.parametrize(("pattern", "inside", "outside"), MATCHES, ids=[repr(row[0]) for row in MATCHES])
def test_search(pattern: str, inside: list[str], outside: list[str]) -> None:
    compiled = compile_pattern(pattern)
    assert [text for text in inside if not compiled.search(text)] == []
    assert [text for text in outside if compiled.search(text)] == []


ERRORS: list[tuple[str, int, str]] = [
    ("*a", 0, "nothing that *"),
    ("a**", 2, "nothing that *"),
    ("a++", 2, "nothing that +"),
    ("a{2}{3}", 4, "nothing that {3}"),
    ("^*", 1, "nothing that *"),
    (r"\b+", 2, "nothing that +"),
    ("(?<=a)*", 6, "nothing that *"),
    ("a|*", 2, "nothing that *"),
    ("a{3,2}", 1, "wrong order"),
    ("(a", 0, "never closed"),
    ("b(a|(c)", 1, "never closed"),
    ("a)", 1, "without its ("),
    ("x[a", 1, "never closed"),
    (r"[a\]", 0, "never closed"),
    ("[z-a]", 1, "wrong order"),
    ("a\\", 1, "escapes nothing"),
    ("[\\", 1, "escapes nothing"),
    (r"^\S\Z", 3, "the end is $"),
    (r"\Aa", 0, "the beginning is ^"),
    (r"\h", 0, "write [ \\t]"),
    (r"[\B]", 1, "no escape"),
    (r"\xg", 0, "two hexadecimal digits"),
    (r"\u12", 0, "four hexadecimal digits"),
    (r"\u{110000}", 0, "beyond"),
    (r"\p{Foo}", 0, "Unicode property"),
    (r"\pL", 0, "Unicode property"),
    (r"\p{gc=Latin}", 0, "Unicode property"),
    (r"\k<a>", 0, "no group is named a"),
    (r"\k", 0, "needs a group's name"),
    ("(?<1a>b)", 2, "identifier"),
    ("(?<a", 2, "identifier"),
    ("(?i)a", 0, "opens no group"),
    ("a(?P<n>b)", 1, "opens no group"),
    ("(?>a)", 0, "opens no group"),
    ("(?#a)", 0, "opens no group"),
    ("(?-:a)", 0, "opens no group"),
    ("(?i-i:a)", 0, "given twice"),
]


@pytest.mark.parametrize(("pattern", "position", "reason"), ERRORS, ids=[repr(row[0]) for row in ERRORS])
def test_refused(pattern: str, position: int, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    error = caught.value
    assert (error.position, error.source) == (position, pattern)
    assert reason in error.reason
    assert f"offset {position}" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (again.position, str(again)) == (position, str(error))


@pytest.mark.parametrize("name", ["Alphabetic", "Emoji", "Script=Lao", "scx=Greek", "Script_Extensions=Latin"])
def test_properties_not_known_here_are_told_from_misspelt_ones(name: str) -> None:
    with pytest.raises(NotRegular, match="not known here"):
        compile_pattern(rf"\p{{{name}}}")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [(r"(a)\1", "backreference"), ("(?<=a(?=b))b", "lookahead, \\$ or"), (r"(?<=a\b)b", "lookahead, \\$ or")],
)
def test_not_regular_is_matched_all_the_same(pattern: str, reason: str) -> None:
    compiled = compile_pattern(pattern)
    assert not compiled.regular
    with pytest.raises(NotRegular, match=reason):
        compiled.language()


def test_lookahead_inside_lookbehind_is_matched() -> None:
    assert compile_pattern("(?<=a(?=b)).").search("ab")
    assert not compile_pattern("(?<=a(?=c)).").search("ab")


def test_backreferences_give_up_where_they_would_take_for_ever() -> None:
    with pytest.raises(MatchUndecided):
        compile_pattern(r"^(a+)+\1c$").search("a" * 60)
    with pytest.raises(MatchUndecided):
        compile_pattern(r"(a{1000}){1000}\1").search("a")
