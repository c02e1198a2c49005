"""Whether links hold, for pages that show many at once: remembered, else read from verdict rows, else compared."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deedbox.checker.model import Inclusion
from deedbox.checker.policy import LinkOutcome
from deedbox.registry import verdict_text
from deedbox.registry.services.links import Pair
from deedbox.registry.services.verdicts import Question, Verdicts
from deedbox.registry.storage import queries

NOT_COMPARED = "not compared yet"
_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Fit:
    """A pair and whether its reader reads all that its writer may write."""

    pair: Pair
    inclusion: Inclusion

    @property
    def state(self) -> str:
        """`holds`, `broken` or `undecided`."""
        return {True: "holds", False: "broken", None: "undecided"}[self.inclusion.holds]

    @property
    def why(self) -> str:
        """The reason against it, empty where it holds."""
        witness = self.inclusion.witness
        return self.inclusion.reason or (witness.why if witness is not None else "")

    def outcome(self) -> LinkOutcome:
        """The same as the gate says it."""
        producer, consumer = self.pair.producer, self.pair.consumer
        return LinkOutcome(
            producer.contract,
            producer.version,
            consumer.contract,
            consumer.version,
            self.pair.channel,
            self.inclusion.holds,
            self.why,
            self.inclusion.witness,
        )


class Fits:
    """Answers for many pairs. What is decided never changes, so it is kept."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._known: dict[Question, Inclusion] = {}
        self._lock = threading.Lock()

    def of(self, pairs: Sequence[Pair], most_new: int) -> list[Fit]:
        """Whether each pair holds.

        Args:
            pairs: the links.
            most_new: how many may be compared now; the others are undecided, "not compared yet".

        Raises:
            Busy, StorageUnavailable: as they say.
        """
        questions = [pair.question for pair in pairs if pair.question is not None]
        answers = self.answers(questions, most_new)
        return [
            Fit(pair, answers[pair.question] if pair.question is not None else Inclusion(None, reason=pair.reason))
            for pair in pairs
        ]

    def answers(self, questions: Iterable[Question], most_new: int) -> Mapping[Question, Inclusion]:
        """The backward direction of each question: may the reader read all that the writer writes?"""
        wanted = list(dict.fromkeys(questions))
        found = {q: self._known[q] for q in wanted if q in self._known}
        missing = [q for q in wanted if q not in found]
        if missing:
            with self._verdicts.database.reading() as session:
                rows = queries.verdicts(session, [q.key for q in missing])
            found |= {q: verdict_text.decode(rows[q.key]).backward for q in missing if q.key in rows}
        new = [q for q in missing if q not in found][:most_new]
        if new:
            answers = self._verdicts.answer(new, {})
            self._verdicts.keep(answers.fresh)
            found |= {q: c.backward for q, c in answers.comparisons.items()}
        self._remember({q: found[q] for q in missing if q in found and found[q].holds is not None})
        return {q: found.get(q) or Inclusion(None, reason=NOT_COMPARED) for q in wanted}

    def _remember(self, decided: Mapping[Question, Inclusion]) -> None:
        with self._lock:
            if len(self._known) + len(decided) > _REMEMBERED:
                self._known.clear()
            self._known.update(decided)


def settled(fits: Iterable[Fit]) -> bool:
    """Whether none of them is undecided, so that the answer stays the same while no entry comes."""
    return all(fit.inclusion.holds is not None for fit in fits)
