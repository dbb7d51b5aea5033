"""Figures count every message once, at the time it was accepted, whatever the order in which things are told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from loa.domain.figures import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, Count, Kind
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Refused, Unknown
from loa.domain.routes import Step
from loa.ports.ledger import Ledger
from tests.contract.ledger.conftest import Opener
from tests.contract.ledger.values import (
    DAY,
    MINUTE,
    NUMBER,
    OTP,
    TRANSACTIONAL,
    claim,
    keep,
    no_resend,
    receipt,
    settlement,
    submission,
)
from tests.support.fakes import EPOCH

SINCE, UNTIL = EPOCH - HOUR_MS, EPOCH + HOUR_MS
SHORT = 30_000


@pytest.fixture
async def ledger(open_ledger: Opener) -> AsyncIterator[Ledger]:
    opened = await with_tenants(open_ledger)
    yield opened
    await opened.close()


async def with_tenants(open_ledger: Opener) -> Ledger:
    opened = await open_ledger()
    for name in ("one", "two"):
        await opened.add_tenant(name, EPOCH)
    return opened


async def count(ledger: Ledger, limit: int = 2_000) -> None:
    while await ledger.count_figures(limit):
        pass


async def ended(ledger: Ledger, tenant_id: int = 1, grain_ms: int = MINUTE_MS) -> dict[tuple[str, str], int]:
    """The figures of what messages ended as, by state and error."""
    rows = await ledger.figure_sums(tenant_id, grain_ms, SINCE, UNTIL)
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["kind"] == Kind.ENDED:
            found[State(row["code"]).label, row["error"]] += row["count"]
    return dict(found)


async def of_kind(ledger: Ledger, kind: Kind, tenant_id: int = 1) -> int:
    rows = await ledger.figure_sums(tenant_id, MINUTE_MS, SINCE, UNTIL)
    return sum(row["count"] for row in rows if row["kind"] == kind)


async def some_messages(ledger: Ledger, count: int = 4, at: int = EPOCH, **given: object) -> None:
    """Have messages accepted one by one, and handed over as ref-0, ref-1, …; the second is refused."""
    for number in range(count):
        await ledger.accept(submission(numbers=[NUMBER + number], at=at + number * MINUTE, **given))
    attempts = sorted(await claim(ledger, at + HOUR_MS), key=lambda each: each.message_id)
    outcomes = [Refused("barred", lasting=True) if n == 1 else Accepted((f"ref-{n}",)) for n in range(count)]
    await ledger.record([settlement(a, o, at + HOUR_MS) for a, o in zip(attempts, outcomes, strict=True)])


async def arrive(ledger: Ledger, number: int, at: int = EPOCH + HOUR_MS, state: State = State.DELIVERED) -> None:
    await ledger.store([receipt(f"ref-{number}", destination=NUMBER + number, received_at=at, state=state, detail="")])


async def test_messages_are_counted_by_what_became_of_them(ledger: Ledger) -> None:
    await ledger.add_channel("viettel", "sandbox", {})
    await some_messages(ledger)
    await arrive(ledger, 0)
    await arrive(ledger, 2, state=State.UNDELIVERED)
    await count(ledger)
    assert await of_kind(ledger, Kind.ACCEPTED) == 4
    assert await ended(ledger) == {("delivered", ""): 1, ("rejected", "barred"): 1, ("undelivered", ""): 1}
    rows = await ledger.figure_sums(1, MINUTE_MS, SINCE, UNTIL)
    assert {row["channel"] for row in rows if row["kind"] == Kind.ENDED} == {"viettel"}
    assert {row["class"] for row in rows} == {"transactional"}
    assert await ended(ledger, tenant_id=2) == {}


async def test_a_message_counts_in_the_span_in_which_it_was_accepted_in_every_grain(ledger: Ledger) -> None:
    await some_messages(ledger, count=3)
    await arrive(ledger, 2)
    await count(ledger)
    for grain_ms in (MINUTE_MS, QUARTER_MS, HOUR_MS):
        series = await ledger.figure_series(1, grain_ms, SINCE, UNTIL)
        accepted = Counter({row["at"]: row["count"] for row in series if row["kind"] == Kind.ACCEPTED})
        assert accepted == Counter((EPOCH + n * MINUTE) // grain_ms * grain_ms for n in range(3))
        (arrived,) = (row for row in series if row["kind"] == Kind.ENDED and row["code"] == State.DELIVERED)
        assert arrived["at"] == (EPOCH + 2 * MINUTE) // grain_ms * grain_ms
    assert await ledger.figure_series(1, MINUTE_MS, EPOCH + HOUR_MS, EPOCH + DAY_MS) == []


async def test_a_state_that_is_followed_by_another_is_not_counted_any_more(ledger: Ledger) -> None:
    await ledger.accept(submission(expires_at=EPOCH + DAY))
    (attempt,) = await claim(ledger)
    lost = settlement(attempt, Unknown("reset"), EPOCH, wait_until=EPOCH + SHORT)
    await ledger.record([lost])
    await ledger.settle_unknown(10, EPOCH + SHORT)
    await count(ledger)
    assert await ended(ledger) == {("unknown", "reset"): 1}
    assert await ledger.record([settlement(attempt, Accepted(("ref-0",)), EPOCH + SHORT + 1)]) == 1
    await arrive(ledger, 0, EPOCH + MINUTE)
    await count(ledger)
    assert await ended(ledger) == {("delivered", ""): 1}


async def test_both_states_of_a_message_may_be_counted_at_once(ledger: Ledger) -> None:
    await ledger.accept(submission())
    (attempt,) = await claim(ledger)
    await ledger.record([settlement(attempt, Unknown("reset"), EPOCH, wait_until=EPOCH + SHORT)])
    await ledger.settle_unknown(10, EPOCH + SHORT)
    await ledger.record([settlement(attempt, Accepted(("ref-0",)), EPOCH + SHORT + 1)])
    await arrive(ledger, 0, EPOCH + MINUTE)
    await count(ledger, limit=1)
    assert await ended(ledger) == {("delivered", ""): 1}


async def test_waits_are_counted_by_their_first_digit_from_when_a_message_was_due(ledger: Ledger) -> None:
    await ledger.accept(submission(due_at=EPOCH + MINUTE, scheduled=True, traffic_class=OTP))
    (attempt,) = await claim(ledger, EPOCH + MINUTE)
    await ledger.record([settlement(attempt, Accepted(("ref-0",)), EPOCH + MINUTE + 57)])
    await arrive(ledger, 0, EPOCH + MINUTE + 3_400)
    await count(ledger)
    series = await ledger.figure_series(1, MINUTE_MS, SINCE, UNTIL)
    waits = {(row["kind"], row["class"], row["code"]): row["count"] for row in series if row["kind"] in {2, 3}}
    assert waits == {(Kind.HANDED_OVER, "otp", 50): 1, (Kind.DELIVERED, "otp", 3_000): 1}


async def test_what_is_owed_is_counted_once_it_is_known(ledger: Ledger) -> None:
    await some_messages(ledger, plan=(Step(1, 0, 350),))
    await some_messages(ledger, count=1, plan=(Step(1, 0, 200, True),), traffic_class=OTP)
    await count(ledger)
    assert await of_kind(ledger, Kind.SPEND) == 0
    await arrive(ledger, 0)
    await arrive(ledger, 2, state=State.UNDELIVERED)
    await count(ledger)
    costs = [row["cost"] for row in await ledger.events(1, 0, 100)]
    assert await of_kind(ledger, Kind.SPEND) == sum(costs) > 350


async def test_counting_in_small_steps_gives_the_same_as_at_once(ledger: Ledger) -> None:
    await some_messages(ledger, count=9)
    for number in (0, 2, 3, 5):
        await arrive(ledger, number)
    await count(ledger, limit=2)
    await some_messages(ledger, count=5, at=EPOCH + 10_000)
    await count(ledger, limit=3)
    assert await of_kind(ledger, Kind.ACCEPTED) == 14
    assert await ended(ledger) == {("delivered", ""): 4, ("rejected", "barred"): 2}


async def test_many_that_count_at_once_count_each_message_once(ledger: Ledger) -> None:
    await some_messages(ledger, count=9)
    for number in (0, 2, 3, 5):
        await arrive(ledger, number)
    for _ in range(10):
        await asyncio.gather(*(ledger.count_figures(2) for _ in range(4)))
    assert await of_kind(ledger, Kind.ACCEPTED) == 9
    assert await ended(ledger) == {("delivered", ""): 4, ("rejected", "barred"): 1}


async def test_counting_goes_on_where_it_stood_when_a_process_ends_between_two_steps(open_ledger: Opener) -> None:
    ledger = await with_tenants(open_ledger)
    await some_messages(ledger, count=6)
    await arrive(ledger, 0)
    assert await ledger.count_figures(1)
    # Counted, and cut off before it is written.
    await ledger._reckon(100)  # type: ignore[attr-defined]
    await ledger.close()
    ledger = await open_ledger()
    await ledger.settle_stale(EPOCH, no_resend, former=True)
    await count(ledger)
    await count(ledger)
    assert await of_kind(ledger, Kind.ACCEPTED) == 6
    assert await ended(ledger) == {("delivered", ""): 1, ("rejected", "barred"): 1}
    await ledger.close()


async def test_a_reckoning_that_was_overtaken_is_not_written(ledger: Ledger) -> None:
    await some_messages(ledger)
    await arrive(ledger, 0)
    reckoning = await ledger._reckon(100)  # type: ignore[attr-defined]
    await count(ledger)
    assert await ledger._call("figures", reckoning) is False  # type: ignore[attr-defined]
    assert await ended(ledger) == {("delivered", ""): 1, ("rejected", "barred"): 1}


async def test_where_nothing_is_new_nothing_is_written(ledger: Ledger) -> None:
    await some_messages(ledger)
    await count(ledger)
    reckoning = await ledger._reckon(100)  # type: ignore[attr-defined]
    assert not reckoning.due


async def test_of_the_ages_of_a_lane_the_highest_of_a_span_stays(ledger: Ledger) -> None:
    for age in (3, 9, 5):
        await ledger.note_queue_ages([Count(0, EPOCH, Kind.QUEUE_AGE, TRANSACTIONAL, 7, 0, "", age)])
    (row,) = await ledger.figure_series(0, QUARTER_MS, SINCE, UNTIL)
    assert (row["kind"], row["class"], row["channel_id"], row["count"]) == (Kind.QUEUE_AGE, "transactional", 7, 9)


async def test_short_spans_go_before_long_ones_and_those_with_history(ledger: Ledger) -> None:
    await some_messages(ledger, count=2)
    await count(ledger)
    later = EPOCH + 3 * DAY
    assert await ledger.purge(100, later, keep()) > 0
    assert await ledger.figure_series(1, MINUTE_MS, SINCE, UNTIL) == []
    assert await ledger.figure_series(1, QUARTER_MS, SINCE, UNTIL) != []
    await ledger.purge(100, EPOCH + 20 * DAY, keep())
    assert await ledger.figure_series(1, QUARTER_MS, SINCE, UNTIL) == []
    assert await ledger.figure_series(1, HOUR_MS, SINCE, UNTIL) != []
    await ledger.purge(100, EPOCH + 20 * DAY, keep(history=DAY))
    assert await ledger.figure_series(1, HOUR_MS, SINCE, UNTIL) == []


async def test_a_ledger_that_lost_its_history_goes_on_counting(open_ledger: Opener) -> None:
    ledger = await with_tenants(open_ledger)
    await some_messages(ledger, count=2)
    await arrive(ledger, 0)
    await count(ledger)
    await ledger.purge(1_000, EPOCH + 9 * DAY, keep(history=DAY))
    await ledger.close()
    ledger = await open_ledger()
    await some_messages(ledger, count=2, at=EPOCH + MINUTE)
    await count(ledger)
    assert await of_kind(ledger, Kind.ACCEPTED) == 2
    await ledger.close()
