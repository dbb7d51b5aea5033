"""When what waits may go."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loa.channels.zalo import opening
from loa.channels.zalo.settings import span

VIETNAM = timezone(timedelta(hours=7))
CARE = span("07:00-22:00")


def at(*when):
    return int(datetime(*when, tzinfo=VIETNAM).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (at(2026, 11, 26, 6, 59, 59), at(2026, 11, 26, 7)),
        (at(2026, 11, 26, 7), 0),
        (at(2026, 11, 26, 21, 59, 59), 0),
        (at(2026, 11, 26, 22), at(2026, 11, 27, 7)),
        (at(2026, 12, 31, 23, 30), at(2027, 1, 1, 7)),
    ],
)
def test_hours_open_in_the_morning_of_vietnam(now, opens):
    assert opening.opening(CARE, now) == opens
    assert opening.opening(None, now) == 0


def test_where_zalo_says_closed_and_we_open_the_next_morning_is_waited_for():
    assert opening.next_opening(None, at(2026, 11, 26, 23)) == at(2026, 11, 27, 7)
    assert opening.next_opening(None, at(2026, 11, 26, 6)) == at(2026, 11, 26, 7)
    assert opening.next_opening(CARE, at(2026, 11, 26, 21, 59)) == at(2026, 11, 27, 7)


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (at(2026, 11, 30, 23, 59), at(2026, 12, 1)),
        (at(2026, 12, 31, 23, 59), at(2027, 1, 1)),
        (at(2027, 1, 1), at(2027, 2, 1)),
    ],
)
def test_months_and_days_begin_at_midnight_in_vietnam(now, month):
    assert opening.next_month(now) == month
    assert opening.next_day(now) in range(now + 1, now + 86_400_001)
    assert datetime.fromtimestamp(opening.next_day(now) / 1000, UTC).astimezone(VIETNAM).hour == 0


@given(st.integers(0, 2**63 - 1), st.integers(1, 10**9))
def test_a_moment_of_its_own_is_the_same_each_time_and_in_the_spread(message_id, spread):
    assert 0 <= opening.jitter(message_id, spread) < spread
    assert opening.jitter(message_id, spread) == opening.jitter(message_id, spread)
