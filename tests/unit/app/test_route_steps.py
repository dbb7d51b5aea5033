"""Route steps as people write them."""

import pytest

from loa.app.route_steps import channel_of, read_step, show_step
from loa.domain.routes import LEARNED, DailyHours, RouteStep
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError

STEPS = {
    "zalo": RouteStep(1),
    "zalo,after=20s": RouteStep(1, 20),
    "zalo,after=usual,class=otp+transactional": RouteStep(1, LEARNED, (TrafficClass.OTP, TrafficClass.TRANSACTIONAL)),
    "zalo,carrier=viettel+mobifone,hours=22:00-06:30": RouteStep(
        1, carriers=("viettel", "mobifone"), hours=DailyHours(22 * 60, 6 * 60 + 30)
    ),
}


@pytest.mark.parametrize(("written", "step"), STEPS.items())
def test_a_step_reads_as_it_is_shown(written: str, step: RouteStep) -> None:
    assert read_step(written, 1) == step
    assert show_step(step, channel_of(written)) == written


def test_minutes_and_hours_are_seconds() -> None:
    assert [read_step(f"x,after={each}", 1).wait_s for each in ("90", "5m", "2h")] == [90, 300, 7_200]


@pytest.mark.parametrize(
    "written",
    [
        "x,after=0",
        "x,after=-3",
        "x,after=8000h",
        "x,class=sms",
        "x,carrier=nobody",
        "x,hours=7-22",
        "x,hours=07:00-07:00",
    ],
)
def test_what_cannot_be_read_says_what_is_wanted(written: str) -> None:
    with pytest.raises(CallerError, match=written.partition(",")[2].split("=")[0]):
        read_step(written, 1)


def test_an_unknown_condition_names_those_there_are() -> None:
    with pytest.raises(CallerError, match="after=20s"):
        read_step("x,before=3s", 1)


@pytest.mark.parametrize(("minute", "inside"), [(22 * 60, True), (0, True), (6 * 60, False), (12 * 60, False)])
def test_hours_may_go_over_midnight(minute: int, inside: bool) -> None:
    vietnam_ms = 7 * 3_600_000
    assert DailyHours(22 * 60, 6 * 60).holds(10 * 86_400_000 + minute * 60_000 - vietnam_ms) is inside
