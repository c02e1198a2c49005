"""Rules that `compare` states itself: what no other rule explains, and what could not be decided."""

from __future__ import annotations

from deedbox.checker.rules.rule import Rule

ACCEPTS_LESS = Rule(
    "accepts-less",
    "json-schema",
    "inclusion",
    "The new version refuses a message that the old one accepted.",
    "No single keyword explains it: several changes act together. The witness is such a message; trace it through the "
    "new schema to see which part refuses it.",
    "JSON Schema 2020-12 core §7.6 (assertions)",
    "accepts-more",
)
ACCEPTS_MORE = Rule(
    "accepts-more",
    "json-schema",
    "inclusion",
    "The new version accepts a message that the old one refused.",
    "No single keyword explains it: several changes act together. A reader still on the old version would refuse the "
    "witness.",
    "JSON Schema 2020-12 core §7.6 (assertions)",
    "accepts-less",
)
UNDECIDED = Rule(
    "undecided",
    "json-schema",
    "inclusion",
    "Whether every message of the one version is accepted by the other is neither proved nor refuted.",
    "It is never taken for compatible. The reason says what stopped the proof: rewrite that part more simply, raise the "
    "budget, or accept the finding by name after looking at it.",
    "Deedbox policy: undecided is no compatible",
    "undecided",
)
RULES = (ACCEPTS_LESS, ACCEPTS_MORE, UNDECIDED)
