"""How long a channel has taken nothing, and who goes on."""

import pytest
from tests.support.fakes import FakeClock

from loa.domain.traffic import TrafficClass
from loa.stages.standstill import PATIENCE_S, STEADY_S, Standstill

CODES = PATIENCE_S[TrafficClass.OTP]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def classes(standstill: Standstill) -> list[TrafficClass]:
    return [traffic_class for traffic_class, _ in standstill.lanes()]


def test_codes_go_on_soon_and_campaigns_late(clock: FakeClock) -> None:
    standstill, gone_on = Standstill(clock), []
    for seconds in (0, 1, 2, 15, 120):
        clock.advance(seconds - clock.monotonic() + FakeClock().monotonic())
        standstill.see(still=True)
        gone_on.append(len(classes(standstill)))
    assert gone_on == [0, 0, 1, 2, 3]
    assert standstill.lanes() == [(each, patience_s * 1000) for each, patience_s in PATIENCE_S.items()]


def test_a_moment_between_two_pauses_is_no_end_of_a_standstill(clock: FakeClock) -> None:
    standstill = Standstill(clock)
    for still in (True, False, True):
        clock.advance(CODES)
        standstill.see(still=still)
    assert TrafficClass.OTP in classes(standstill)
    standstill.see(still=False)
    assert classes(standstill) == [], "it takes messages again: they are tried there first"
    clock.advance(STEADY_S)
    standstill.see(still=False)
    standstill.see(still=True)
    assert classes(standstill) == []


def test_one_that_was_accepted_ends_it(clock: FakeClock) -> None:
    standstill = Standstill(clock)
    standstill.see(still=True)
    clock.advance(CODES)
    standstill.over()
    standstill.see(still=True)
    assert classes(standstill) == []
