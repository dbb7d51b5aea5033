"""The limiter: tokens, pauses that double, a rate that falls at once and rises slowly."""

import pytest

from loa.channels.pace import BURST_S, CALM_S, PAUSE_FIRST_S, PAUSE_LONGEST_S, PLENTY, Pace


def spend(pace, seconds, began=0.0, step=0.001):
    """Take all there is for a while; give how much that was."""
    taken = 0
    ticks = round(seconds / step)
    for tick in range(ticks + 1):
        now = began + tick * step
        room = min(pace.room(now), 1_000)
        pace.take(room, now)
        taken += room
    return taken


def test_without_a_rate_there_is_always_room():
    assert Pace(0).room(5.0) == PLENTY


@pytest.mark.parametrize("rate", [1, 7, 100, 2_500])
def test_a_rate_is_kept_within_its_burst(rate):
    taken = spend(Pace(rate), 10)
    assert rate * 10 - 1 <= taken <= rate * 10 + max(1, rate * BURST_S) + 1


def test_tokens_do_not_pile_up_while_nothing_is_sent():
    pace = Pace(100)
    assert pace.room(1_000.0) == 10


def test_the_next_room_is_announced():
    pace = Pace(10)
    now = 100.0
    assert pace.room(now) >= 1
    pace.take(pace.room(now), now)
    later = pace.next_at(now)
    assert pace.room(now) == 0
    assert now < later <= now + 0.2
    assert pace.room(later + 0.001) >= 1


def test_throttling_pauses_twice_as_long_each_time_up_to_a_limit():
    pace = Pace(0)
    now, pauses = 100.0, []
    for _ in range(8):
        end = pace.throttled(now)
        pauses.append(end - now)
        assert pace.room(end - 0.01) == 0
        assert pace.next_at(now) == end
        assert pace.room(end + 1.0) >= 1
        now = end + 0.5
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert PAUSE_LONGEST_S == 30.0


def test_answers_of_the_same_window_count_as_one_throttling():
    pace = Pace(0)
    end = pace.throttled(100.0)
    assert pace.throttled(100.5) == end


def test_after_a_calm_time_the_next_pause_is_short_again():
    pace = Pace(0)
    end = pace.throttled(pace.throttled(100.0) + 0.1)
    assert pace.throttled(end + CALM_S + 0.1) == pytest.approx(end + CALM_S + 0.1 + PAUSE_FIRST_S)


def test_throttling_lowers_the_rate_and_time_raises_it_to_what_was_agreed():
    pace = Pace(100)
    spend(pace, 3)
    pace.throttled(3.0)
    assert pace.rate == pytest.approx(70, abs=8)
    pace.room(5.0)
    lowered = pace.rate
    assert lowered < 100
    pace.room(60.0)
    assert pace.rate == 100


def test_throttling_never_raises_a_rate_below_one_a_second():
    pace = Pace(0.2)
    end = pace.throttled(100.0)
    assert pace.rate == 0.2
    assert spend(pace, 20, began=end) <= 0.2 * 20 + 1


def test_without_an_agreed_rate_the_lowered_one_is_dropped_in_the_end():
    pace = Pace(0)
    for second in range(5):
        pace.take(200, float(second))
    pace.throttled(5.0)
    assert pace.rate == pytest.approx(140)
    taken = spend(pace, 2, began=6.0)
    assert taken <= 140 * 2 + 40
    pace.room(120.0)
    assert pace.room(120.0) == PLENTY


def test_a_congested_peer_is_heeded_once_a_second():
    pace = Pace(0)
    pace.take(100, 10.2)
    pace.congested(80, 10.5)
    assert pace.room(10.5) == PLENTY
    pace.congested(100, 10.6)
    assert pace.rate == pytest.approx(90)
    pace.congested(100, 10.7)
    assert pace.rate == pytest.approx(90)
    pace.take(90, 11.9)
    pace.congested(95, 12.0)
    assert pace.rate == pytest.approx(90)
    pace.congested(200, 20.0)
    assert pace.rate == pytest.approx(90)


def test_a_pause_is_visible():
    pace = Pace(5)
    end = pace.throttled(1.0)
    assert pace.paused(end - 0.1)
    assert not pace.paused(end)
