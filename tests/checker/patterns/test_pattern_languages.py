"""Languages combined, searched, counted."""

from __future__ import annotations

import itertools

import pytest
from deedbox.checker.budget import Budget, BudgetExceeded
from deedbox.checker.patterns import Found, Language, NotRegular, compile_pattern, find, sample

of = Language.of


def included(narrow: Language | str, wide: Language | str) -> bool:
    languages = [of(side) if isinstance(side, str) else side for side in (narrow, wide)]
    found = find([languages[0]], [languages[1]], budget=Budget())
    assert found.exhausted == (not found.strings)
    for text in found.strings:
        assert languages[0].contains(text)
        assert not languages[1].contains(text)
    return found.exhausted


# As it stands in many schemas: a class of hundreds that holds the dot after it, and a word boundary.
URL = r"https?:\/\/(www\.)?[-a-zA-Z0-9@:%._\+~#=]{1,256}\.[a-zA-Z0-9()]{1,6}\b([-a-zA-Z0-9()@:%_\+.~#?&//=]*)"
INCLUDED = [
    (f"^{URL}$", URL),
    (f"^{URL}$", "^https?://"),
    (URL, URL.replace("256", "300")),
    (f"^{URL}$", f"^{URL.replace('256', '300')}$"),
    (URL.replace("{1,6}", "{2,6}"), URL),
    (r"^\w+\b-x$", r"^\w*\b[-.]x?$"),
    ("^[a-z]+$", "^[a-z0-9]+$"),
    ("^[a-z]+$", "[a-z]"),
    (r"^\d{4}-\d{2}-\d{2}$", r"^\d+-\d+-\d+$"),
    ("^abc", "abc"),
    ("abc$", "abc"),
    ("^(?:a|b)*$", "^[ab]*$"),
    ("^(?:a*)*b$", "^a*b$"),
    (".{1,1000}", ".{1,999}"),  # unanchored: both only ask for one character
    ("^.{1,999}$", "^.{1,1000}$"),
    ("^(?:a{2,3}){1,40}$", "^a{2,120}$"),
    ("^(?:a{3}){1,40}$", "^a{3,120}$"),
    ("^(?:.{1,50}){1,50}$", "^.{1,2500}$"),
    ("^(?!foo).*$", "^(?!foobar)"),
    ("^(?=.{1,64}$)[a-z]+$", "^[a-z]{1,64}$"),
    ("^[a-z]{1,64}$", "^(?=.{1,64}$)[a-z]+$"),
    ("^(?:(?!--)[a-z-])*$", "^[a-z-]*$"),
    ("^[a-z]+(?:-[a-z]+)*$", "^(?:(?!--)[a-z-])*$"),
    (r"\bfoo\b", "foo"),
    ("(?<=a)b", "ab"),
    ("ab", "(?<=a)b"),
    ("^(?<!a)b", "^b"),
    ("^b", "(?<!a)b"),
    (r"^\p{Lu}+$", r"^\p{L}+$"),
    (r"^[0-9]$", r"^\p{Nd}$"),
    ("^[^]*$", ""),
    ("", "^[^]*"),
    ("[]", "^a$"),
    ("^a$", "[^]"),
    ("^(?:a|b)*a(?:a|b){16}$", "^[ab]*$"),  # 2^17 states if determinised, 18 if not
    ("^(?:aa|aaa)*$", "^(?:aa+)?$"),
    ("^(?:aa+)?$", "^(?:aa|aaa)*$"),
    (r"^(?:0|[1-9]\d*)$", r"^\d+$"),
]


@pytest.mark.parametrize(("narrow", "wide"), INCLUDED)
def test_included(narrow: str, wide: str) -> None:
    assert included(narrow, wide)


@pytest.mark.parametrize(
    ("wide", "narrow", "witness"),
    [
        ("^[a-z0-9]+$", "^[a-z]+$", "0"),
        ("^.{1,1000}$", "^.{1,999}$", "a" * 1000),
        ("^.*$", "^[a-z]*$", "0"),
        ("", "^.*$", "\n"),
        ("", r"^\S*$", " "),
        ("", r"^[\x00-\x7f]*$", "\xdf"),
        ("foo", r"\bfoo\b", "afoo"),
        ("^[a-z-]*$", "^(?:(?!--)[a-z-])*$", "--"),
        ("^(?!foo).*$", "^(?!fo).*$", "fo"),
        (r"^\d{4}-\d{2}-\d{2}$", r"^\d{4}-(?:0\d|1[0-2])-\d{2}$", "0000-13-00"),
        ("^[ab]*$", "^(?:aa|b)*$", "a"),
        ("^(?:a|b){13}$", "^(?:a|b)*a(?:a|b){12}$", "b" + "a" * 12),
        ("^[Ff]oo$", "^foo$", "Foo"),
        ("^x", "^x$", "xa"),
        ("b", "(?<!a)b", "ab"),
    ],
)
def test_the_shortest_and_most_readable_witness(wide: str, narrow: str, witness: str) -> None:
    assert find([of(wide)], [of(narrow)], budget=Budget()) == Found((witness,), False)


def test_everything_nothing_literals_length() -> None:
    everything, nothing = Language.everything(), Language.nothing()
    assert find([everything], [], budget=Budget()).strings == ("",)
    assert find([nothing], [], budget=Budget()) == Found((), True)
    assert find([], [everything], budget=Budget()) == Found((), True)
    assert find([], [], budget=Budget()).strings == ("",)
    assert find([], [nothing], count=3, budget=Budget()).strings == ("", "a", "b")
    words = Language.literals({"on", "off", "", "o", "\U0001f600"})
    assert find([words], [], count=9, budget=Budget()) == Found(("", "o", "\U0001f600", "on", "off"), True)
    assert [words.contains(text) for text in ("", "on", "of", "off", "offf")] == [True, True, False, True, False]
    assert find([Language.literals(())], [], budget=Budget()).exhausted
    lengths = Language.length(2, 3)
    assert [lengths.contains("a" * n) for n in range(5)] == [False, False, True, True, False]
    assert lengths.contains("\U0001f600\U0001f600")
    assert find([Language.length(3, 2)], [], budget=Budget()).exhausted
    assert included(Language.length(2, 3), Language.length(1))
    assert not included(Language.length(1), Language.length(2, 3))


def test_combinations_are_what_they_say() -> None:
    a, b = of("^[ab]*$"), of("^[bc]*$")
    texts = ["".join(t) for n in range(4) for t in itertools.product("abcd", repeat=n)]
    in_a, in_b = {t for t in texts if a.contains(t)}, {t for t in texts if b.contains(t)}
    for language, wanted in (
        (a.union(b), in_a | in_b),
        (a.intersection(b), in_a & in_b),
        (a.difference(b), in_a - in_b),
        (a.complement(), set(texts) - in_a),
        (a.union(b).complement(), set(texts) - in_a - in_b),
        (a.complement().intersection(b.complement()), set(texts) - in_a - in_b),
    ):
        assert {t for t in texts if language.contains(t)} == wanted
        found = find([language, Language.length(0, 3), of("^[a-d]*$")], [], count=len(texts), budget=Budget())
        assert set(found.strings) == wanted
    assert included(a.union(b).complement(), a.complement().intersection(b.complement()))
    assert included(a.intersection(b), "^b*$")
    assert a.complement().complement().same(a)
    assert a.intersection(Language.everything()).same(a)
    assert a.union(Language.nothing()).same(a)
    assert a.intersection(a.complement()).same(Language.nothing())


def test_counting() -> None:
    assert find([of("^[a-c]{1,2}$")], [], count=13, budget=Budget()) == Found(
        ("a", "b", "c", "aa", "ab", "ac", "ba", "bb", "bc", "ca", "cb", "cc"), True
    )
    found = find([of("^[0-9]{3}$")], [], count=1001, budget=Budget())
    assert found.exhausted
    assert sorted(found.strings) == [f"{n:03}" for n in range(1000)]
    assert not find([of("^a*$")], [], count=50, budget=Budget()).exhausted
    # Two ways to the same string count once.
    assert find([of("^(?:a|ab)(?:bc|c)?$")], [], count=9, budget=Budget()) == Found(
        ("a", "ab", "ac", "abc", "abbc"), True
    )
    # A finite number over a whole alphabet, surrogates left out.
    found = find([of(r"^[\ud700-\ue0ff]$")], [], count=1000, budget=Budget())
    assert found.exhausted
    assert len(found.strings) == 0x100 + 0x100
    assert find([of(r"^[\ud800-\udfff]$")], [], budget=Budget()).exhausted


def test_bounds_and_exclusions() -> None:
    language = of("^(?:ab|cde)*$")
    for low, high in itertools.product(range(8), repeat=2):
        found = find([language], [], min_length=low, max_length=high, count=999, budget=Budget())
        assert found.exhausted
        assert all(low <= len(text) <= high for text in found.strings)
        one = find([language], [], min_length=low, max_length=high, budget=Budget())
        assert one.exhausted == (not found.strings)
        assert one.exhausted or len(one.strings[0]) == len(found.strings[0])
    assert find([language], [], exclude=["", "ab"], budget=Budget()).strings == ("cde",)
    assert find([of("^a$")], [], exclude=["a"], budget=Budget()).exhausted
    assert find([of("^a?$")], [], exclude=["a"], count=2, budget=Budget()) == Found(("",), True)
    assert find([], [], exclude=["", "b", "aa"], count=2, budget=Budget()).strings == ("a", "c")


@pytest.mark.parametrize(
    ("wanted", "unwanted", "low", "high", "length"),
    [
        ("^[a-z]+$", "^$", 65_536, None, 65_536),
        ("^(?:ab|cde)*$", "^(?:ab)*$", 1_000, None, 1_000),
        ("^(?:a{3})*$", "^(?:aa)*$", 1_000, None, 1_005),
        ("^(?:a{3})*$", "^(?:aa)*$", 1_000, 1_004, None),
        ("^(?:a{3})*$", "^(?:aa)*$", 1_000, 1_005, 1_005),
        ("^.{1,900}$", "^$", 900, None, 900),
        ("^.{1,900}$", "^$", 901, None, None),
        ("^a{70}b*$", "^a*b{0,9}$", 80, None, 80),
        ("^a{70}$", "^$", 71, None, None),
        ("^a*$", "^a*b?a*$", 71, None, None),
        (r"^(?:\ud800|a){80}$", "^$", 80, None, 80),
    ],
)
def test_long_strings(wanted: str, unwanted: str, low: int, high: int | None, length: int | None) -> None:
    found = find([of(wanted)], [of(unwanted)], min_length=low, max_length=high, budget=Budget())
    if length is None:
        assert found == Found((), True)
        return
    (text,) = found.strings
    assert len(text) == length
    assert of(wanted).contains(text)
    assert not of(unwanted).contains(text)


@pytest.mark.parametrize(
    ("pattern", "samples"),
    [
        ("^[a-z]+$", ("a", "b", "c")),
        ("^[^a]$", ("b", "c", "d")),
        ("^.$", ("a", "b", "c")),
        (r"^\W$", ("-", ".", "!")),
        (r"^\s$", (" ", "\n", "\t")),
        (r"^[\x00-\x1f]$", ("\n", "\t", "\r")),
        ("^[A-Z]{2}[0-9]$", ("AA0", "AA1", "AA2")),
        (r"^[\u{1f600}\u{1f601}]x*$", ("\U0001f600", "\U0001f601", "\U0001f600x")),
        ("^(?:yes|no)$", ("no", "yes")),
        (r"^\p{Lu}$", ("A", "B", "C")),
        ("^(?:GET|POST) /[a-z/]*$", ("GET /", "GET /a", "GET /b")),
    ],
)
def test_samples_are_readable(pattern: str, samples: tuple[str, ...]) -> None:
    found = sample(pattern, 3, budget=Budget())
    assert found == samples


def test_same_is_seen_at_a_glance() -> None:
    assert of("^(?:a|b)c$").same(of("^([ab])c$"))
    assert of("a*b").same(of("b"))
    assert not of("a").same(of("b"))
    budget = Budget()
    assert find([of("^(?:[a-z]{1,60}x){1,60}$")], [of("^([a-z]{1,60}x){1,60}$")], budget=budget).exhausted
    assert budget.spent == 0


def test_equal_recipes_are_equal_values() -> None:
    assert of("a").union(of("b")) == of("b").union(of("a"))
    assert len({of("a").complement(), of("a").complement(), Language.length(1, 2), Language.length(1, 2)}) == 2
    assert of(compile_pattern("a")) == of("a")


def test_budget_is_kept() -> None:
    hard = [of("^(?:a|b)*a(?:a|b){30}$"), of("^(?:a|b)*b(?:a|b){30}$")]  # together all, but in 2^31 states
    with pytest.raises(BudgetExceeded, match="nodes were not enough"):
        find([of("^[ab]*$")], hard, min_length=31, budget=Budget(nodes=2_000, milliseconds=60_000))
    with pytest.raises(BudgetExceeded):
        find([of("^a{3000}$")], [], budget=Budget(nodes=100))


def test_backreferences_are_no_language() -> None:
    with pytest.raises(NotRegular, match="backreference"):
        of(r"(a)\1")


def test_dropping_the_tables_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from deedbox.checker.patterns import nodes, search

    questions = [("^(?:[a-z]+-)*x{2,5}$", "^[a-z-]*$"), ("^[ab]*c$", "^(?:a|b)*c?$"), ("^[a-z-]{9}$", "^(?:[a-z]-?)*$")]
    expected = [find([of(a)], [of(b)], budget=Budget()) for a, b in questions]
    monkeypatch.setattr(nodes, "_TABLE_LIMIT", 20)
    search._answers.clear()
    for _ in range(3):
        assert [find([of(a)], [of(b)], budget=Budget()) for a, b in questions] == expected
        search._answers.clear()
        assert compile_pattern("^(?:[a-z]+-)*x{2,5}$").search("abc-de-xxx")
        assert not compile_pattern("^(?:[a-z]+-)*x{2,5}$").search("abc-de-x")
