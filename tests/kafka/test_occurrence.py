"""Times that messages say, as text that sorts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from deedbox.kafka.occurrence import sortable
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"),
        ("2026-01-01T00:00:00.9Z", "2026-01-01T00:00:01Z"),
        ("2026-01-01T00:00:00.12Z", "2026-01-01T00:00:00.123456789012Z"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z"),
        ("2026-01-01T23:30:00-01:00", "2026-01-02T00:31:00.0z"),
        ("2026-01-01 00:00:00", "2026-01-01t00:00:01Z"),
        ("0099-12-31T00:00:00Z", "2026-01-01T00:00:00Z"),
        (9, 10),
        (-10, -9),
        (-1, 0),
        (1.25, 1.5),
        (-1.5, -1.25),
        (1_700_000_000_000, 1_700_000_000_000.5),
        (2**63, 2**63 + 1),
        ("v1", "v2"),
    ],
)
def test_what_is_earlier_sorts_first(earlier: Any, later: Any) -> None:
    before, after = sortable(earlier), sortable(later)
    assert before is not None
    assert after is not None
    assert before < after


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000+00:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"),
        (1, 1.0),
        (0, -0.0),
    ],
)
def test_the_same_time_is_the_same_text(one: Any, other: Any) -> None:
    assert sortable(one) == sortable(other)


@pytest.mark.parametrize("said", [None, True, [], {}, float("nan"), float("inf"), 10**40])
def test_what_is_no_time_is_none(said: Any) -> None:
    assert sortable(said) is None


@pytest.mark.parametrize(
    "said", ["2026-02-31T00:00:00Z", "2016-12-31T23:59:60Z", "yesterday", "", "0001-01-01T00:00:00+01:00"]
)
def test_text_that_is_no_date_stays(said: str) -> None:
    assert sortable(said) == said


zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones)


@given(moments, moments)
def test_any_two_moments_sort_as_they_happened(one: datetime, other: datetime) -> None:
    texts = sortable(one.isoformat()), sortable(other.isoformat())
    assert (texts[0] < texts[1], texts[0] == texts[1]) == (one < other, one.astimezone(UTC) == other.astimezone(UTC))  # type: ignore[operator]


@given(
    st.integers(-(10**39), 10**39) | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e39, max_value=1e39),
    st.integers(-(10**39), 10**39),
)
def test_any_two_numbers_sort_as_numbers(one: float, other: float) -> None:
    texts = sortable(one), sortable(other)
    assert (texts[0] < texts[1], texts[0] == texts[1]) == (one < other, one == other)  # type: ignore[operator]
