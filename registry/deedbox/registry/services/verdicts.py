"""Comparisons, each computed once: taken from the verdict rows, or asked of the sandbox and then kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version as release_of
from typing import Any

from deedbox.checker.canonical import canonical, digest
from deedbox.checker.documents import load_document
from deedbox.checker.errors import CheckerError
from deedbox.checker.formats import detect
from deedbox.checker.model import Comparison, ContentModel
from deedbox.registry import verdict_text
from deedbox.registry.sandbox.pool import NoAnswer, Sandbox
from deedbox.registry.sandbox.protocol import Ask, Checked
from deedbox.registry.services.values import Proposal
from deedbox.registry.storage import queries
from deedbox.registry.storage.database import Database

# A newer checker may decide what this one could not, so its answers are rows of their own.
_RELEASE = release_of("deedbox")


@dataclass(frozen=True, slots=True)
class Question:
    """`old` and `new` by digest, and all else that the answer depends on."""

    old_digest: str
    new_digest: str
    format: str
    content_model: ContentModel
    old_dialect: str | None = None
    new_dialect: str | None = None
    contract: str = ""
    """Part of the findings' fingerprints where versions of one contract are compared; empty for links."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The primary key of the verdict row."""
        dialects = f"{self.old_dialect or ''}>{self.new_dialect or ''}"
        return (
            self.old_digest,
            self.new_digest,
            f"{self.format} {self.content_model} {dialects} {_RELEASE} {self.contract}",
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """Comparisons by question, and the texts of those decided ones that are not in the database yet."""

    comparisons: Mapping[Question, Comparison]
    fresh: Mapping[tuple[str, str, str], str]


class Verdicts:
    """Compares by way of the database and the sandbox."""

    def __init__(self, database: Database, sandbox: Sandbox) -> None:
        self.database, self.sandbox = database, sandbox
        self.computed = 0
        self.remembered = 0

    def read_document(self, proposal: Proposal, content_model: ContentModel, dialect: str | None) -> Checked:
        """Reads a document from outside, in a process of its own; its format is what it says, where nobody said it.

        Raises:
            CheckerError: it cannot be used; says where.
            Busy: no process came free in time.
        """
        said = proposal.format or ""
        ask = Ask("check", said, content_model, proposal.dialect or dialect, proposal.source, name=proposal.syntax)
        answer = self.sandbox.ask([ask])[0]
        if isinstance(answer, NoAnswer):
            # It could be read at least: say what it is, and let every comparison with it be undecided.
            document = load_document(proposal.source, proposal.syntax)
            text = canonical(document.value).decode()
            return Checked(digest(document.value), text, document.syntax, said or detect(document))
        if isinstance(answer, CheckerError):
            raise answer
        assert isinstance(answer, Checked)
        return answer

    def answer(self, questions: Iterable[Question], texts: Mapping[str, str]) -> Answers:
        """Comparisons for all questions. `texts` has the canonical text of digests that are not in the database.

        No transaction is open while documents are compared.

        Raises:
            StorageUnavailable, Busy: as they say.
        """
        wanted = list(dict.fromkeys(questions))
        if not wanted:
            return Answers({}, {})
        with self.database.reading() as session:
            rows = queries.verdicts(session, [question.key for question in wanted])
            known = {q: verdict_text.decode(rows[q.key]) for q in wanted if q.key in rows}
            missing = [q for q in wanted if q not in known]
            digests = {d for q in missing for d in (q.old_digest, q.new_digest)} - set(texts)
            stored = queries.schema_texts(session, digests, missing[0].format) if missing else {}
        self.remembered += len(known)
        self.computed += len(missing)
        texts = {**stored, **texts}
        answers = self.sandbox.ask([_ask(q, texts) for q in missing])
        fresh: dict[tuple[str, str, str], str] = {}
        for question, answer in zip(missing, answers, strict=True):
            if isinstance(answer, str):
                comparison = known[question] = verdict_text.decode(answer)
                # What is undecided is no verdict: a less busy machine may find it another day.
                if None not in (comparison.backward.holds, comparison.forward.holds):
                    fresh[question.key] = answer
            else:
                known[question] = _no_answer(question, answer, texts)
        return Answers(known, fresh)

    def keep(self, fresh: Mapping[tuple[str, str, str], str]) -> None:
        """Writes comparisons down, in a transaction of their own.

        Raises:
            StorageUnavailable, Busy: as they say.
        """
        if fresh:
            with self.database.writing() as session:
                queries.put_verdicts(session, fresh)


def _ask(question: Question, texts: Mapping[str, str]) -> Ask:
    ask = Ask(
        "compare",
        question.format,
        question.content_model,
        question.new_dialect,
        texts[question.old_digest],
        texts[question.new_digest],
        name=f"{question.old_digest[:12]}...{question.new_digest[:12]}",
        contract=question.contract,
    )
    if question.old_dialect != question.new_dialect:
        ask = replace(ask, old_dialect=question.old_dialect)
    return ask


def _no_answer(question: Question, answer: Any, texts: Mapping[str, str]) -> Comparison:
    old, new = (load_document(texts[d], "schema.json").value for d in (question.old_digest, question.new_digest))
    reason = answer.reason if isinstance(answer, NoAnswer) else str(answer)
    return verdict_text.undecided(question.format, question.content_model, question.contract, old, new, reason)
