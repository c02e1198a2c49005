"""Whether a change of a contract breaks anyone, with proof. Pure: documents in, a `Comparison` out."""

from __future__ import annotations

from deedbox.checker.comparison import compare
from deedbox.checker.documents import Document, load_document
from deedbox.checker.errors import CheckerError, DocumentError
from deedbox.checker.model import Comparison, Finding, Inclusion, Judgement, Witness

__all__ = [
    "CheckerError",
    "Comparison",
    "Document",
    "DocumentError",
    "Finding",
    "Inclusion",
    "Judgement",
    "Witness",
    "compare",
    "load_document",
]
