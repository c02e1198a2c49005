"""The search for a counterexample: is there a value accepted by all of these schemas and rejected by all of those?

search = Search()
outcome = search.find([Reading(old)], [Reading(new)], Budget())
outcome.status   # "empty": proved that there is none; "found": outcome.value is one; "unknown": outcome.reason says why
"""

from __future__ import annotations

from deedbox.checker.json_schema.inclusion.search import Outcome, Reading, Search

__all__ = ["Outcome", "Reading", "Search"]
