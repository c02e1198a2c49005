"""ECMA-262 regular expressions as languages: matched in linear time, combined, compared, sampled.

    pattern = compile_pattern("^[a-z]+$")          # raises PatternError; cached
    pattern.search("abc")                          # ECMA-262 search semantics

    narrow, wide = Language.of("^[a-z]+$"), Language.of("^[a-z0-9]+$")   # raises PatternError, NotRegular
    find([wide], [narrow], budget=Budget())        # Found(strings=("0",), exhausted=False): a string that is
    wide, not narrow find([narrow], [wide], budget=Budget())        # Found(strings=(), exhausted=True):
    narrow is included in wide

Strings are sequences of Unicode code points, as JSON Schema counts them; generated ones never hold a surrogate.
"""

from deedbox.checker.patterns.errors import MatchUndecided, NotRegular, PatternError, UnusablePattern
from deedbox.checker.patterns.language import Language, Pattern, compile_pattern
from deedbox.checker.patterns.search import Found, find, sample

__all__ = [
    "Found",
    "Language",
    "MatchUndecided",
    "NotRegular",
    "Pattern",
    "PatternError",
    "UnusablePattern",
    "compile_pattern",
    "find",
    "sample",
]
