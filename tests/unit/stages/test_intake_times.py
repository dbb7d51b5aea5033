"""When a message is due and when it is no longer worth sending."""

from typing import Any

import pytest
from tests.support.fakes import EPOCH
from tests.support.intake_desk import Desk

from loa.domain.hours import AllowedHours
from loa.domain.rules import Ruleset
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError
from loa.stages.planning import PlanningLimits

OTP, TRANSACTIONAL, ADVERTISING = TrafficClass.OTP, TrafficClass.TRANSACTIONAL, TrafficClass.ADVERTISING
HOUR_S = 3_600
OPEN_TOMORROW = AllowedHours().next_open(EPOCH + 12 * HOUR_S * 1000)  # EPOCH is 18:06 in Vietnam
CLOSE_TODAY = AllowedHours().closing(EPOCH)


async def times(desk: Desk, **given: Any) -> tuple[int, int]:
    """Seconds from now until the submission is due, and from there until it expires."""
    row = await desk.submission(await desk.submit(**given))
    return (row["due_at"] - desk.clock.now()) // 1000, (row["expires_at"] - row["due_at"]) // 1000


@pytest.mark.parametrize(("traffic_class", "lifetime_s"), [(OTP, 300), (TRANSACTIONAL, 86_400)])
async def test_a_class_has_its_lifetime(desk: Desk, traffic_class: TrafficClass, lifetime_s: int) -> None:
    assert await times(desk, traffic_class=traffic_class) == (0, lifetime_s)


async def test_a_lifetime_begins_when_the_message_is_wanted(desk: Desk) -> None:
    assert await times(desk, traffic_class=OTP, scheduled="2026-11-18T12:06:40Z") == (HOUR_S, 300)


async def test_advertising_inside_the_hours_leaves_now_and_ends_with_the_day(desk: Desk) -> None:
    assert await times(desk, traffic_class=ADVERTISING) == (0, (CLOSE_TODAY - EPOCH) // 1000)


@pytest.mark.parametrize("scheduled", ["18-11-2026 23:30", "19-11-2026 03:00", "2026-11-18T21:30:00"])
async def test_advertising_wanted_at_night_waits_for_the_morning(desk: Desk, scheduled: str) -> None:
    row = await desk.submission(await desk.submit(traffic_class=ADVERTISING, scheduled=scheduled))
    assert (row["due_at"], row["expires_at"]) == (OPEN_TOMORROW, AllowedHours().closing(OPEN_TOMORROW))


async def test_where_the_hours_are_not_enforced_advertising_leaves_at_night_and_lives_a_day(desk: Desk) -> None:
    desk.rebuild(rules=Ruleset(hours=None))
    desk.clock.advance(12 * HOUR_S)
    assert await times(desk, traffic_class=ADVERTISING) == (0, 86_400)


async def test_a_lifetime_of_their_own_never_carries_advertising_past_the_hours(desk: Desk) -> None:
    await desk.ledger.set_policies(desk.tenant.id, {"advertising": {"lifetime_s": 100 * HOUR_S}})
    await desk.registry.refresh()
    assert await times(desk, traffic_class=ADVERTISING) == (0, (CLOSE_TODAY - EPOCH) // 1000)
    await desk.ledger.set_policies(desk.tenant.id, {"advertising": {"lifetime_s": HOUR_S}})
    await desk.registry.refresh()
    assert await times(desk, traffic_class=ADVERTISING) == (0, HOUR_S)


@pytest.mark.parametrize(("ttl", "lives_s"), [(60, 60), ("60", 60), (1, 1), (2 * 86_400, 86_400)])
async def test_ttl_shortens_a_life_and_never_lengthens_it(desk: Desk, ttl: Any, lives_s: int) -> None:
    assert await times(desk, ext={"ttl": ttl}) == (0, lives_s)


async def test_a_tenant_changes_a_lifetime_for_what_comes_after(desk: Desk) -> None:
    await desk.ledger.set_policies(desk.tenant.id, {"otp": {"lifetime_s": 60}})
    await desk.registry.refresh()
    assert await times(desk, traffic_class=OTP) == (0, 60)


async def test_how_far_ahead_is_a_setting(desk: Desk) -> None:
    desk.rebuild(limits=None)
    desk.planner.limits = PlanningLimits(schedule_days_max=1)
    assert await times(desk, scheduled="2026-11-19T11:06:40Z") == (86_400, 86_400)
    with pytest.raises(CallerError):
        await desk.submit(scheduled="2026-11-19T11:06:41Z")
