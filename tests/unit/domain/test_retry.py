"""Schedules of tries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loa.domain.retry import CALLBACK_DELAYS_S, SEND_BACKOFF_MS, SEND_TRIES_MAX, callback_delay_ms, send_delay_ms

DAY_MS = 86_400_000
LUCK = st.floats(min_value=0, max_value=1)


def _callback_span(jitter: float) -> int:
    delays = [callback_delay_ms(tries, jitter) for tries in range(1, 10)]
    return sum(delay for delay in delays if delay is not None)


def test_a_callback_is_tried_ten_times_over_about_three_days() -> None:
    assert _callback_span(0.5) == pytest.approx(3.15 * DAY_MS, rel=0.001)
    assert callback_delay_ms(9, 0.5) is not None
    assert callback_delay_ms(10, 0.5) is None
    assert callback_delay_ms(11, 0.0) is None


@given(LUCK)
def test_chance_moves_the_whole_by_a_fifth_at_most(jitter: float) -> None:
    assert 0.8 <= _callback_span(jitter) / _callback_span(0.5) <= 1.2


@given(st.integers(min_value=1, max_value=9), LUCK)
def test_chance_moves_a_callback_s_delay_by_a_fifth_at_most(tries: int, jitter: float) -> None:
    delay, base = callback_delay_ms(tries, jitter), CALLBACK_DELAYS_S[tries - 1] * 1_000
    assert delay is not None
    assert int(0.8 * base) <= delay <= 1.2 * base


@given(st.integers(min_value=1, max_value=50), LUCK)
def test_a_message_waits_by_its_table_and_past_it_as_long_as_at_its_end(tries: int, jitter: float) -> None:
    base = SEND_BACKOFF_MS[min(tries, 6) - 1]
    assert int(0.8 * base) <= send_delay_ms(tries, jitter) <= 1.2 * base


def test_waits_grow_and_chance_uses_its_whole_range() -> None:
    assert list(SEND_BACKOFF_MS) == sorted(SEND_BACKOFF_MS)
    assert list(CALLBACK_DELAYS_S) == sorted(CALLBACK_DELAYS_S)
    assert (send_delay_ms(1, 0.0), send_delay_ms(1, 1.0)) == (4_000, 6_000)
    assert (callback_delay_ms(1, 0.0), callback_delay_ms(1, 1.0)) == (4_000, 6_000)


def test_a_one_time_code_has_several_tries_within_its_life() -> None:
    waits = [send_delay_ms(tries, 1.0) for tries in range(1, SEND_TRIES_MAX)]
    assert sum(waits[:4]) < 300_000
