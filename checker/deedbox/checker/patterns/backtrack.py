"""Bounded backtracking, for patterns with backreferences alone: those name no regular language.

The tree is compiled to a few instructions, run by a loop with a stack of its own (ECMA-262 §22.2.2 in small). Steps are
counted: such a match can take exponential time, and an unknown answer is better than none.
"""

from __future__ import annotations

from typing import Any, Final

from deedbox.checker.patterns import charset, syntax
from deedbox.checker.patterns.errors import MatchUndecided

_STEPS: Final = 200_000
_CODE_LIMIT: Final = 50_000
# (operation, operands…); a jump's operand is an index.
_CHAR, _SPLIT, _JUMP, _SAVE, _CLEAR, _REFER, _LOOK, _START, _MARK, _MOVED, _DONE = range(11)


class _TooLong(Exception):
    pass


class Backtracker:
    """A compiled tree. One that counted repetitions make too long says so when it is searched with."""

    __slots__ = ("_code", "_marks", "_too_long")

    def __init__(self, tree: syntax.Node) -> None:
        self._marks = 0
        self._code: list[tuple[Any, ...]] = []
        self._too_long = False
        try:
            self._emit(tree, backward=False)
            self._add(_DONE)
        except _TooLong:
            self._too_long = True

    def search(self, text: str) -> bool:
        """Whether the pattern matches somewhere in `text`.

        Raises:
            MatchUndecided: it took more than a fixed number of steps.
        """
        if self._too_long:
            raise MatchUndecided("a backreference together with very large counted repetitions is not decided")
        codes = [ord(c) for c in text]
        steps = [_STEPS]
        return any(self._run(0, codes, at, {}, steps) is not None for at in range(len(codes) + 1))

    def _add(self, *instruction: Any) -> int:
        if len(self._code) >= _CODE_LIMIT:
            raise _TooLong
        self._code.append(instruction)
        return len(self._code) - 1

    def _emit(self, node: syntax.Node, *, backward: bool) -> None:
        match node:
            case syntax.Chars(chars):
                self._add(_CHAR, chars, backward)
            case syntax.Seq(items):
                for item in reversed(items) if backward else items:
                    self._emit(item, backward=backward)
            case syntax.Choice(items):
                jumps: list[int] = []
                for item in items[:-1]:
                    split = self._add(_SPLIT)
                    self._emit(item, backward=backward)
                    jumps.append(self._add(_JUMP))
                    self._code[split] = (_SPLIT, split + 1, len(self._code))
                self._emit(items[-1], backward=backward)
                for jump in jumps:
                    self._code[jump] = (_JUMP, len(self._code))
            case syntax.Loop():
                self._emit_loop(node, backward=backward)
            case syntax.Look(item, behind, negated):
                look = self._add(_LOOK)
                self._emit(item, backward=behind)
                self._add(_DONE)
                self._code[look] = (_LOOK, look + 1, len(self._code), negated)
            case syntax.Start():
                self._add(_START)
            case syntax.Group(item, number):
                first, second = (1, 0) if backward else (0, 1)
                self._add(_SAVE, 2 * number + first)
                self._emit(item, backward=backward)
                self._add(_SAVE, 2 * number + second)
            case syntax.Backreference(numbers, ignore_case):
                self._add(_REFER, numbers, ignore_case, backward)

    def _emit_loop(self, node: syntax.Loop, *, backward: bool) -> None:
        groups = tuple(_groups(node.item))

        def once() -> None:
            if groups:
                self._add(_CLEAR, groups)
            self._emit(node.item, backward=backward)

        def split(at: int, out: int) -> None:
            self._code[at] = (_SPLIT, out, at + 1) if node.lazy else (_SPLIT, at + 1, out)

        for _ in range(node.low):
            once()
        mark = self._marks
        self._marks += 1
        if node.high is None:
            head = self._add(_SPLIT)
            self._add(_MARK, mark)
            once()
            self._add(_MOVED, mark)
            self._add(_JUMP, head)
            split(head, len(self._code))
            return
        heads: list[int] = []
        for _ in range(node.high - node.low):
            heads.append(self._add(_SPLIT))
            self._add(_MARK, mark)
            once()
            self._add(_MOVED, mark)
        for head in heads:
            split(head, len(self._code))

    def _run(
        self, pc: int, codes: list[int], at: int, saved: dict[int, int], steps: list[int]
    ) -> dict[int, int] | None:
        """What was captured by the first way to `_DONE` from `pc`; None where there is none.

        `saved` holds the ends of groups, and under negative keys where a round of a loop began.
        """
        stack: list[tuple[int, int, dict[int, int]]] = [(pc, at, saved)]
        while stack:
            pc, at, saved = stack.pop()
            while True:
                steps[0] -= 1
                if steps[0] < 0:
                    raise MatchUndecided(f"a pattern with backreferences took more than {_STEPS} steps on this text")
                instruction = self._code[pc]
                operation = instruction[0]
                pc += 1
                if operation == _DONE:
                    return saved
                if operation == _CHAR:
                    place = at - 1 if instruction[2] else at
                    if not (0 <= place < len(codes) and codes[place] in instruction[1]):
                        break
                    at = place if instruction[2] else at + 1
                elif operation == _SPLIT:
                    pc = instruction[1]
                    stack.append((instruction[2], at, saved))
                elif operation == _JUMP:
                    pc = instruction[1]
                elif operation == _SAVE:
                    saved = {**saved, instruction[1]: at}
                elif operation == _CLEAR:
                    saved = {key: value for key, value in saved.items() if key < 0 or key >> 1 not in instruction[1]}
                elif operation == _MARK:
                    saved = {**saved, -1 - instruction[1]: at}
                elif operation == _MOVED:
                    if saved[-1 - instruction[1]] == at:
                        break
                elif operation == _START:
                    if at:
                        break
                elif operation == _LOOK:
                    inside = self._run(instruction[1], codes, at, saved, steps)
                    if (inside is None) != instruction[3]:
                        break
                    pc = instruction[2]
                    saved = saved if inside is None else inside
                else:
                    moved = _refer(instruction, codes, at, saved)
                    if moved is None:
                        break
                    at = moved
        return None


def _refer(instruction: tuple[Any, ...], codes: list[int], at: int, saved: dict[int, int]) -> int | None:
    _, numbers, ignore_case, backward = instruction
    for number in numbers:
        begin, end = saved.get(2 * number), saved.get(2 * number + 1)
        if begin is None or end is None:
            continue
        wanted = codes[begin:end]
        place = at - len(wanted) if backward else at
        there = codes[place : place + len(wanted)] if place >= 0 else []
        same = there == wanted
        if ignore_case and len(there) == len(wanted):
            same = all(b in charset.ignoring_case(charset.single(a)) for a, b in zip(wanted, there, strict=True))
        return (place if backward else at + len(wanted)) if same else None
    return at


def _groups(node: syntax.Node) -> list[int]:
    match node:
        case syntax.Group(item, number):
            return [number, *_groups(item)]
        case syntax.Seq(items) | syntax.Choice(items):
            return [number for item in items for number in _groups(item)]
        case syntax.Loop(item) | syntax.Look(item):
            return _groups(item)
    return []
