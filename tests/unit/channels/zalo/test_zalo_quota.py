"""The forecast: who gives way when, and what is known after a new day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fakes import EPOCH

from loa.channels.zalo import opening
from loa.channels.zalo.quota import SHARE_MAX, Purse, expected, reserve
from loa.domain.traffic import TrafficClass

OTP, CARE, ADS = TrafficClass.OTP, TrafficClass.TRANSACTIONAL, TrafficClass.ADVERTISING
MORNING = opening.midnight(EPOCH)
HOUR = 3_600_000


def purse(left, daily=1_000, now=MORNING):
    made = Purse()
    made.heard(left, daily, 0, now)
    return made


def waiting(one, now, floor=0):
    return [traffic.label for traffic in TrafficClass if one.waits_until(traffic, floor, now)]


def test_while_nothing_was_sent_only_an_empty_quota_holds_anything_back():
    assert waiting(purse(1), MORNING) == []
    assert waiting(purse(0), MORNING) == ["transactional", "advertising"]
    assert purse(0).waits_until(ADS, 0, MORNING) == opening.next_day(MORNING)


def test_what_is_not_known_holds_nothing_back():
    assert waiting(Purse(), MORNING, floor=100) == []


def test_advertising_gives_way_first_then_transactional_and_codes_never():
    one = purse(1_000)
    for _ in range(9):
        one.spend(OTP, MORNING)
        one.spend(CARE, MORNING)
    noon = MORNING + 12 * HOUR
    # Nine of each class in half a day: nine more of each are expected until midnight.
    for left, held in ((19, []), (18, ["advertising"]), (10, ["advertising"]), (9, ["transactional", "advertising"])):
        one.heard(left, None, 0, noon)
        assert waiting(one, noon) == held, left
    one.heard(1, None, 0, noon)
    assert "otp" not in waiting(one, noon)


def test_the_reserve_for_codes_is_kept_though_none_was_sent_but_is_a_small_part():
    assert waiting(purse(101), MORNING, floor=100) == []
    assert waiting(purse(100), MORNING, floor=100) == ["transactional", "advertising"]
    assert waiting(purse(51, daily=500), MORNING, floor=100) == []


def test_what_is_under_way_is_not_left_any_more():
    one = Purse()
    one.heard(50, 1_000, 20, MORNING)
    assert one.left == 30
    one.spend(OTP, MORNING)
    assert one.left == 29


def test_others_who_draw_on_the_same_quota_count():
    alone, shared = purse(10_000, 10_000), purse(10_000, 10_000)
    noon = MORNING + 12 * HOUR
    for one in (alone, shared):
        for _ in range(100):
            one.spend(CARE, MORNING)
    alone.heard(200, None, 0, noon)
    shared.heard(200, None, 0, noon)
    assert waiting(alone, noon) == ["advertising"], "9,800 went, of which we know 100"
    quiet = purse(300, 300)
    for _ in range(100):
        quiet.spend(CARE, MORNING)
    quiet.heard(200, None, 0, noon)
    assert waiting(quiet, noon) == []


def test_a_wall_that_was_hit_holds_everything_back_until_it_is_over_or_zalo_says_otherwise():
    one = purse(5)
    until = opening.next_day(MORNING)
    one.close(until)
    assert one.waits_until(OTP, 0, MORNING) == until
    assert waiting(one, until) == []
    one.close(until)
    one.heard(5, None, 0, MORNING + 1)
    assert waiting(one, MORNING + 1) == []


def test_a_new_day_begins_with_the_whole_quota_and_no_history():
    one = purse(1_000)
    for _ in range(500):
        one.spend(OTP, MORNING)
    one.heard(0, None, 0, MORNING + HOUR)
    tomorrow = opening.next_day(MORNING)
    assert waiting(one, tomorrow - 1) == ["transactional", "advertising"]
    assert waiting(one, tomorrow) == []
    assert one.left == 1_000


def test_a_clock_that_is_set_back_begins_the_count_anew():
    one = purse(1_000)
    for _ in range(900):
        one.spend(OTP, MORNING + HOUR)
    assert waiting(one, MORNING - 48 * HOUR) == []


def test_the_first_minutes_are_no_forecast():
    assert expected(10, MORNING, MORNING + 60_000, MORNING + 60_000 + HOUR) == 10


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=3), st.integers(0, 86_400_000), st.floats(1, SHARE_MAX))
def test_a_higher_class_never_keeps_more_for_others_than_a_lower_one(counts, elapsed, share):
    now, until = MORNING + elapsed, MORNING + 86_400_000
    kept = [reserve(traffic, counts, MORNING, now, until, share) for traffic in TrafficClass]
    assert kept[0] == 0
    assert kept == sorted(kept)


@pytest.mark.parametrize("left", [0, 1, 999])
@given(st.lists(st.tuples(st.sampled_from(list(TrafficClass)), st.integers(0, HOUR)), max_size=60))
def test_codes_never_give_way_to_a_forecast(left, sends):
    one, now = purse(left), MORNING
    for traffic, later in sends:
        now += later
        one.spend(traffic, now)
        assert one.waits_until(OTP, 100, now) == 0
        assert one.left >= 0
