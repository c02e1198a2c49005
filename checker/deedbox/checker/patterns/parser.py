"""Reads ECMA-262 patterns (edition 2025, §22.2.1) with the u flag's meaning and Annex B.1.2's leniency.

JSON Schema recommends the u flag; real schemas hold what only Annex B allows: `\\-`, `\\@`, a lone `{` or
`]`, `[\\w-.]`, octal escapes. Those are read as every browser reads them. Letters escaped without a meaning
(`\\Z`, `\\A`, `\\a`, `\\h`) and `(?i)`, `(?P<`, `(?>` are other dialects' constructs: taken for what their
authors meant they would not be ECMA-262, and taken to the letter not what anybody meant, so they are refused
with their place. JSON Schema's own test suite likewise counts `\\Z` and `\\a` as invalid. The fast validator in use
here differs at the edges: it refuses `[\\w-.]`, a lone `{` and octal escapes, takes `\\A` and `(?i)`, and its `.` holds
U+000D, U+2028 and U+2029.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from deedbox.checker.patterns import charset, properties
from deedbox.checker.patterns.charset import CharSet
from deedbox.checker.patterns.errors import PatternError
from deedbox.checker.patterns.syntax import (
    Backreference,
    Chars,
    Choice,
    Group,
    Look,
    Loop,
    Node,
    Seq,
    Start,
    sequence,
)

# Derivatives recurse over the tree (never over the text), and callers have frames of their own.
MAX_DEPTH = 100
_CLASS_ESCAPES = {
    "d": charset.DIGIT,
    "D": ~charset.DIGIT,
    "s": charset.SPACE,
    "S": ~charset.SPACE,
}
_CONTROL_ESCAPES = {"f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_ELSEWHERE = {
    "A": "the beginning is ^",
    "Z": "the end is $",
    "z": "the end is $",
    "a": "write \\x07",
    "e": "write \\x1B",
    "h": "write [ \\t]",
    "R": "write (?:\\r\\n|\\n|\\r)",
    "G": "write the pattern without it",
    "Q": "escape each character",
}
_QUANTIFIER = re.compile(r"([*+?]|\{(\d+)(,(\d*))?\})(\??)")
_MODIFIERS = re.compile(r"\(\?([ims]*)(?:-([ims]*))?:")
_NAME = re.compile(r"<([^<>\s()\[\]{}\\]+)>")
_HEX_4 = re.compile(r"u([0-9a-fA-F]{4})")
_HEX_BRACED = re.compile(r"u\{([0-9a-fA-F]+)\}")
_HEX_2 = re.compile(r"x([0-9a-fA-F]{2})")
_OCTAL = re.compile(r"[0-3]?[0-7]{1,2}")
_PROPERTY = re.compile(r"[pP]\{([A-Za-z0-9_]+(?:=[A-Za-z0-9_]+)?)\}")
_LINE_START = Choice((Start(), Look(Chars(charset.LINE_END), behind=True)))
_END = Look(Chars(charset.ANY), negated=True)
_LINE_STOP = Choice((_END, Look(Chars(charset.LINE_END))))


@lru_cache(maxsize=2)
def word_boundary(word: CharSet, negated: bool) -> Node:
    """`\\b` or `\\B` as lookarounds: exactly one side, or both or neither, is of `word`."""
    before, after = Look(Chars(word), behind=True), Look(Chars(word))
    not_before, not_after = Look(Chars(word), behind=True, negated=True), Look(Chars(word), negated=True)
    if negated:
        return Choice((Seq((before, after)), Seq((not_before, not_after))))
    return Choice((Seq((before, not_after)), Seq((not_before, after))))


@dataclass(slots=True)
class _Frame:
    """An open parenthesis, or the whole pattern."""

    kind: str
    position: int
    flags: frozenset[str]
    number: int = 0
    done: list[Node] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    # How deep each finished part is: kept here because a tree of a hostile pattern cannot be walked to find out.
    depth: int = 0
    last_depth: int = 0
    fixed: bool = True  # the last item takes no quantifier


def parse(source: str) -> Node:
    """The tree of `source`, without capturing groups unless something refers back to one.

    Raises:
        PatternError: not ECMA-262, or nested deeper than `MAX_DEPTH`.
        NotRegular: a Unicode property whose characters are not known here.
    """
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source, self.at, self.end = source, 0, len(source)
        self.groups = 0
        self.refers = False
        # Only references need the groups counted before they are read.
        self.total, self.names = _count_groups(source) if re.search(r"\\[1-9k]", source) else (0, {})

    def error(self, reason: str, position: int | None = None) -> PatternError:
        return PatternError(reason, self.source, self.at if position is None else position)

    def parse(self) -> Node:
        source = self.source
        stack = [_Frame("pattern", 0, frozenset())]
        while self.at < self.end:
            frame, character = stack[-1], source[self.at]
            if character == "(":
                stack.append(self.open(frame))
            elif character == ")":
                if len(stack) == 1:
                    raise self.error("a ) without its (")
                self.at += 1
                stack.pop()
                self.close(frame, stack[-1])
            elif character == "|":
                self.at += 1
                frame.done.append(sequence(frame.items))
                frame.items, frame.fixed = [], True
            elif character in "*+?" or (character == "{" and _QUANTIFIER.match(source, self.at)):
                self.quantify(frame)
            else:
                self.atom(frame, character)
        if len(stack) > 1:
            raise self.error("a ( is never closed", stack[-1].position)
        return self.finish(stack[0])

    def finish(self, frame: _Frame) -> Node:
        last = sequence(frame.items)
        if not frame.done:
            return last
        frame.depth += 1
        return Choice((*frame.done, last))

    def add(self, frame: _Frame, node: Node, depth: int = 1, *, fixed: bool = False) -> None:
        frame.items.append(node)
        frame.last_depth, frame.depth = depth, max(frame.depth, depth)
        frame.fixed = fixed

    def atom(self, frame: _Frame, character: str) -> None:
        flags = frame.flags
        if character == "\\":
            self.escape(frame)
            return
        start = self.at
        self.at += 1
        if character == "[":
            chars = self.character_class(start, flags)
            self.add(frame, Chars(chars))
        elif character == ".":
            self.add(frame, Chars(charset.ANY if "s" in flags else charset.DOT))
        elif character == "^":
            self.add(frame, _LINE_START if "m" in flags else Start(), fixed=True)
        elif character == "$":
            self.add(frame, _LINE_STOP if "m" in flags else _END, fixed=True)
        else:
            self.add(frame, self.literal(ord(character), flags))

    def literal(self, code: int, flags: frozenset[str]) -> Node:
        chars = charset.single(code)
        return Chars(charset.ignoring_case(chars) if "i" in flags else chars)

    def word(self, flags: frozenset[str]) -> CharSet:
        return charset.ignoring_case(charset.WORD) if "i" in flags else charset.WORD

    def quantify(self, frame: _Frame) -> None:
        found = _QUANTIFIER.match(self.source, self.at)
        assert found is not None
        if frame.fixed:
            raise self.error(f"nothing that {found[1]} could repeat")
        sign, low_text, comma, high_text, lazy = found.groups()
        if low_text is None:
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        else:
            low = int(low_text) if len(low_text) < 10 else 10**9
            high = low if comma is None else None
            if high_text:
                high = int(high_text) if len(high_text) < 10 else 10**9
            if high is not None and high < low:
                raise self.error(f"the bounds of {sign} are in the wrong order")
        if frame.last_depth >= MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels")
        self.add(frame, Loop(frame.items.pop(), low, high, bool(lazy)), frame.last_depth + 1, fixed=True)
        self.at = found.end()

    def open(self, frame: _Frame) -> _Frame:
        source, start, flags = self.source, self.at, frame.flags
        for sign, kind in (
            ("?:", "plain"),
            ("?=", "ahead"),
            ("?!", "not ahead"),
            ("?<=", "behind"),
            ("?<!", "not behind"),
        ):
            if source.startswith(sign, start + 1):
                self.at += 1 + len(sign)
                return _Frame(kind, start, flags)
        if not source.startswith("?", start + 1):
            self.at += 1
            self.groups += 1
            return _Frame("group", start, flags, self.groups)
        if source.startswith("?<", start + 1):
            name = _NAME.match(source, start + 2)
            if name is None or not name[1].replace("$", "_").isidentifier():
                raise self.error("a group's name must be an identifier between < and >", start + 2)
            self.at = name.end()
            self.groups += 1
            return _Frame("group", start, flags, self.groups)
        modifiers = _MODIFIERS.match(source, start)
        if modifiers is None or (not modifiers[1] and not modifiers[2]):
            shown = source[start : start + 4]
            raise self.error(
                f"{shown} opens no group of ECMA-262 (flags need a group of their own, as in (?i:…))", start
            )
        on, off = modifiers[1], modifiers[2] or ""
        if len(set(on + off)) != len(on + off):
            raise self.error("a flag is given twice", start)
        self.at = modifiers.end()
        return _Frame("plain", start, (flags | set(on)) - set(off))

    def close(self, frame: _Frame, parent: _Frame) -> None:
        node = self.finish(frame)
        depth, fixed = frame.depth, False
        if frame.kind == "group" and self.total:
            node, depth = Group(node, frame.number), depth + 1
        elif frame.kind.endswith(("ahead", "behind")):
            behind = frame.kind.endswith("behind")
            node, depth = Look(node, behind=behind, negated=frame.kind.startswith("not")), depth + 1
            fixed = behind
        if depth > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels", frame.position)
        self.add(parent, node, depth, fixed=fixed)

    # escapes

    def escape(self, frame: _Frame) -> None:
        start, source, flags = self.at, self.source, frame.flags
        if start + 1 >= self.end:
            raise self.error("a \\ at the end escapes nothing")
        letter = source[start + 1]
        if letter in "bB":
            self.at += 2
            self.add(frame, word_boundary(self.word(flags), letter == "B"), depth=3, fixed=True)
        elif letter == "k":
            self.named_reference(frame)
        elif letter in "123456789" and (number := re.compile(r"\d+").match(source, start + 1)) and len(number[0]) < 6:
            if int(number[0]) <= self.total:
                self.at = number.end()
                self.refers = True
                self.add(frame, Backreference((int(number[0]),), "i" in flags))
            else:
                self.add(frame, self.literal(self.code_escape(in_class=False), flags))
        elif (chars := self.set_escape(flags)) is not None:
            self.add(frame, Chars(chars))
        else:
            self.add(frame, self.literal(self.code_escape(in_class=False), flags))

    def named_reference(self, frame: _Frame) -> None:
        name = _NAME.match(self.source, self.at + 2)
        if name is None:
            raise self.error("\\k needs a group's name, as in \\k<name>")
        if name[1] not in self.names:
            raise self.error(f"no group is named {name[1]}")
        self.at = name.end()
        self.refers = True
        self.add(frame, Backreference(tuple(self.names[name[1]]), "i" in frame.flags))

    def set_escape(self, flags: frozenset[str]) -> CharSet | None:
        """Reads `\\d`, `\\w`, `\\p{…}` and the like; None, and nothing read, at any other escape."""
        letter = self.source[self.at + 1]
        if letter in _CLASS_ESCAPES:
            chars = _CLASS_ESCAPES[letter]
        elif letter in "wW":
            chars = self.word(flags) if letter == "w" else ~self.word(flags)
        elif letter in "pP":
            found = _PROPERTY.match(self.source, self.at + 1)
            known = None if found is None else properties.named(found[1])
            if found is None or known is None:
                raise self.error(
                    f"\\{letter} needs a Unicode property that ECMA-262 knows, as in \\p{{L}} or \\p{{Letter}}"
                )
            if "i" in flags:
                known = charset.ignoring_case(known)
            self.at = found.end()
            return known if letter == "p" else ~known
        else:
            return None
        self.at += 2
        return chars

    def code_escape(self, *, in_class: bool) -> int:
        """Reads an escape that stands for one code point, and gives it."""
        source, start = self.source, self.at
        letter = source[start + 1]
        self.at += 2
        if letter in _CONTROL_ESCAPES:
            return _CONTROL_ESCAPES[letter]
        if letter == "c":
            follows = source[self.at : self.at + 1]
            legal = "a" <= follows.lower() <= "z" and follows.isascii()
            if legal or (in_class and follows and follows in "0123456789_"):
                self.at += 1
                return ord(follows) % 32
            self.at -= 1  # Annex B: the backslash stands for itself
            return 0x5C
        if letter in "xu":
            return self.hexadecimal(start)
        if letter in "01234567":
            octal = _OCTAL.match(source, start + 1)
            assert octal is not None
            self.at = octal.end()
            return int(octal[0], 8)
        if letter.isascii() and letter.isalpha():
            hint = _ELSEWHERE.get(letter, "without the backslash it means the letter")
            raise self.error(f"\\{letter} is no escape of ECMA-262 ({hint})", start)
        return ord(letter)

    def hexadecimal(self, start: int) -> int:
        source = self.source
        if found := _HEX_2.match(source, start + 1):
            self.at = found.end()
            return int(found[1], 16)
        if found := _HEX_BRACED.match(source, start + 1):
            code = int(found[1], 16) if len(found[1]) < 10 else charset.MAX_CODE_POINT + 1
            if code > charset.MAX_CODE_POINT:
                raise self.error(f"\\u{{{found[1][:12]}}} is beyond U+10FFFF", start)
            self.at = found.end()
            return code
        if found := _HEX_4.match(source, start + 1):
            code = int(found[1], 16)
            self.at = found.end()
            if 0xD800 <= code < 0xDC00 and source.startswith("\\", self.at):
                low = _HEX_4.match(source, self.at + 1)
                if low and 0xDC00 <= int(low[1], 16) < 0xE000:
                    self.at = low.end()
                    return 0x10000 + ((code - 0xD800) << 10) + int(low[1], 16) - 0xDC00
            return code
        digits = (
            "two hexadecimal digits" if source[start + 1] == "x" else "four hexadecimal digits, or some between { and }"
        )
        raise self.error(f"\\{source[start + 1]} needs {digits}", start)

    # classes

    def character_class(self, start: int, flags: frozenset[str]) -> CharSet:
        source = self.source
        negated = source.startswith("^", self.at)
        self.at += negated
        ranges: list[tuple[int, int]] = []
        while True:
            if self.at >= self.end:
                raise self.error("a [ is never closed", start)
            if source[self.at] == "]":
                self.at += 1
                break
            first_at = self.at
            first = self.class_atom(flags)
            if source.startswith("-", self.at) and self.at + 1 < self.end and source[self.at + 1] != "]":
                self.at += 1
                last = self.class_atom(flags)
                if isinstance(first, int) and isinstance(last, int):
                    if last < first:
                        raise self.error("the ends of the range are in the wrong order", first_at)
                    ranges.append((first, last))
                    continue
                # Annex B: with a class at either end the hyphen is one more member.
                ranges.append((0x2D, 0x2D))
                ranges += [(last, last)] if isinstance(last, int) else last.ranges()
            ranges += [(first, first)] if isinstance(first, int) else first.ranges()
        chars = CharSet.of_ranges(ranges)
        if "i" in flags:
            chars = charset.ignoring_case(chars)
        return ~chars if negated else chars

    def class_atom(self, flags: frozenset[str]) -> int | CharSet:
        source = self.source
        character = source[self.at]
        if character != "\\":
            self.at += 1
            return ord(character)
        if self.at + 1 >= self.end:
            raise self.error("a \\ at the end escapes nothing")
        if source[self.at + 1] == "b":
            self.at += 2
            return 8
        chars = self.set_escape(flags)
        return self.code_escape(in_class=True) if chars is None else chars


def _count_groups(source: str) -> tuple[int, dict[str, list[int]]]:
    """How many capturing groups there are, and the numbers of those with names."""
    total, names, in_class, at = 0, dict[str, list[int]](), False, 0
    while at < len(source):
        character = source[at]
        if character == "\\":
            at += 1
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character == "(":
            name = _NAME.match(source, at + 2) if source.startswith("?<", at + 1) else None
            if name or not source.startswith("?", at + 1):
                total += 1
            if name:
                names.setdefault(name[1], []).append(total)
        at += 1
    return total, names
