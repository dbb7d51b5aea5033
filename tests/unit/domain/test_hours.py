"""Allowed hours: Vietnam's day, to the millisecond."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loa.domain.hours import DAY_MS, AllowedHours

HOURS = AllowedHours()
MIDNIGHT = int(datetime(2026, 11, 17, 17, tzinfo=UTC).timestamp() * 1000)  # 18 November in Vietnam
HOUR = 3_600_000
OPENING, LAST, CLOSING = MIDNIGHT + 7 * HOUR, MIDNIGHT + 21 * HOUR + HOUR // 2, MIDNIGHT + 22 * HOUR


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (MIDNIGHT - 1, False),
        (MIDNIGHT, False),
        (OPENING - 1, False),
        (OPENING, True),
        (MIDNIGHT + 12 * HOUR, True),
        (LAST - 1, True),
        (LAST, False),
        (CLOSING, False),
    ],
)
def test_a_hand_over_may_start_from_opening_until_the_last_minute(at: int, is_open: bool) -> None:
    assert HOURS.is_open(at) is is_open


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        (MIDNIGHT, OPENING),
        (OPENING - 1, OPENING),
        (OPENING, OPENING),
        (LAST - 1, LAST - 1),
        (LAST, OPENING + DAY_MS),
        (CLOSING, OPENING + DAY_MS),
        (MIDNIGHT + DAY_MS - 1, OPENING + DAY_MS),
    ],
)
def test_the_next_opening_is_now_today_or_tomorrow(at: int, opens: int) -> None:
    assert HOURS.next_open(at) == opens


@pytest.mark.parametrize("at", [MIDNIGHT, OPENING, LAST, CLOSING, MIDNIGHT + DAY_MS - 1])
def test_the_day_closes_at_its_legal_end(at: int) -> None:
    assert HOURS.closing(at) == CLOSING
    assert HOURS.closing(MIDNIGHT - 1) == CLOSING - DAY_MS


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_what_waits_for_the_opening_waits_less_than_a_day_and_finds_it_open(now: int) -> None:
    opens = HOURS.next_open(now)
    assert HOURS.is_open(opens)
    assert 0 <= opens - now < DAY_MS
    assert HOURS.closing(opens) > opens
    assert opens == now or not HOURS.is_open(opens - 1)
