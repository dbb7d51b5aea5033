"""What a message costs: its timeline, its callback and the feed say the same, whatever the attempts came to."""

from collections.abc import Awaitable, Callable

import pytest

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Outcome, Refused, Unknown
from loa.domain.routes import RoutePlan, Step
from loa.domain.traffic import OnUnknown
from loa.ports.ledger import Ledger
from tests.contract.ledger.values import DAY, MINUTE, claim, receipt, settlement, submission
from tests.support.fakes import EPOCH

ZALO, SMS = 1, 2
FREE = (Step(SMS),)
ONLY_SMS = (Step(SMS, 0, 350),)
ONLY_ZALO = (Step(ZALO, 0, 200, True),)
BOTH = (Step(ZALO, 30_000, 200, True), Step(SMS, 0, 350))
LATER = EPOCH + 30_000


async def hand_over(ledger: Ledger, channel: int, outcome: Outcome, at: int = EPOCH) -> int:
    (attempt,) = await claim(ledger, at, channel=channel)
    given = {"wait_until": at + MINUTE, "after": OnUnknown.NEXT_STEP}
    assert await ledger.record([settlement(attempt, outcome, at, **given)]) == 1
    return attempt.message_id


async def arrive(ledger: Ledger, ref: str, channel: int, at: int = LATER, state: State = State.DELIVERED) -> None:
    await ledger.store([receipt(ref, channel_id=channel, received_at=at, state=state)])


async def accepted(ledger: Ledger) -> None:
    await hand_over(ledger, SMS, Accepted(("s1",)))


async def delivered_over_zalo(ledger: Ledger) -> None:
    await hand_over(ledger, ZALO, Accepted(("z1",)))
    await arrive(ledger, "z1", ZALO)


async def failed_over_zalo(ledger: Ledger) -> None:
    await hand_over(ledger, ZALO, Accepted(("z1",)))
    await arrive(ledger, "z1", ZALO, state=State.UNDELIVERED)
    await arrive(ledger, "z1", ZALO, LATER + 1)


async def refused_then_sms(ledger: Ledger) -> None:
    await hand_over(ledger, ZALO, Refused("-118"))
    await hand_over(ledger, SMS, Accepted(("s1",)))
    await arrive(ledger, "s1", SMS)


async def silent_then_sms(ledger: Ledger, outcome: Outcome = Accepted(("s1",))) -> None:  # noqa: B008 - it is frozen
    await hand_over(ledger, ZALO, Accepted(("z1",)))
    assert await ledger.go_on(await ledger.silent(ZALO, 10, LATER), LATER) == 1
    await hand_over(ledger, SMS, outcome, LATER)


async def silent_then_sms_delivered(ledger: Ledger) -> None:
    await silent_then_sms(ledger)
    await arrive(ledger, "s1", SMS)


async def double_reach(ledger: Ledger) -> None:
    await silent_then_sms_delivered(ledger)
    await arrive(ledger, "z1", ZALO, LATER + 1)


async def late_zalo_before_sms(ledger: Ledger) -> None:
    await silent_then_sms(ledger)
    await arrive(ledger, "z1", ZALO)


async def late_zalo_instead_of_sms(ledger: Ledger) -> None:
    await hand_over(ledger, ZALO, Accepted(("z1",)))
    await ledger.go_on(await ledger.silent(ZALO, 10, LATER), LATER)
    await arrive(ledger, "z1", ZALO)


async def lost_sms(ledger: Ledger) -> None:
    await silent_then_sms(ledger, Unknown("lost"))
    await ledger.settle_unknown(10, EPOCH + DAY)


async def lost_sms_and_late_zalo(ledger: Ledger) -> None:
    await lost_sms(ledger)
    await arrive(ledger, "z1", ZALO)


async def evidence_of_sms_then_late_zalo(ledger: Ledger) -> None:
    await silent_then_sms(ledger, Unknown("lost"))
    await arrive(ledger, "never-heard-of", SMS)
    await arrive(ledger, "z1", ZALO, LATER + 1)


CASES: list[tuple[RoutePlan, Callable[[Ledger], Awaitable[None]], int, bool]] = [
    (FREE, accepted, 0, False),
    (ONLY_SMS, accepted, 350, False),
    (ONLY_ZALO, delivered_over_zalo, 200, False),
    (ONLY_ZALO, failed_over_zalo, 0, False),
    (BOTH, delivered_over_zalo, 200, False),
    (BOTH, refused_then_sms, 350, False),
    (BOTH, silent_then_sms_delivered, 350, False),
    (BOTH, double_reach, 550, True),
    (BOTH, late_zalo_before_sms, 550, True),
    (BOTH, late_zalo_instead_of_sms, 200, False),
    (BOTH, lost_sms, 0, False),
    (BOTH, lost_sms_and_late_zalo, 200, True),
    (BOTH, evidence_of_sms_then_late_zalo, 550, True),
]


async def accept(ledger: Ledger, plan: RoutePlan) -> None:
    endpoint = await ledger.add_endpoint(1, "https://a.example/", "whsec_first", every_step=True)
    await ledger.accept(submission(plan=plan, endpoint_id=endpoint.id))


async def told_costs(ledger: Ledger) -> list[tuple[int, bool]]:
    """Give cost and double reach of each message, once all who tell of it say the same."""
    calls = await ledger.claim_due(100, 100, EPOCH + 2 * DAY, EPOCH + 3 * DAY, [])
    feed = await ledger.events(1, 0, 100)
    costs = []
    for message_id in sorted({row["message_id"] for row in feed}):
        shown = await ledger.timeline(1, message_id)
        assert shown is not None
        called = {(call.cost, call.double_reach) for call in calls if call.message_id == message_id}
        read = {(row["cost"], row["double_reach"]) for row in feed if row["message_id"] == message_id}
        assert called == read == {(shown["cost"], shown["double_reach"])}
        assert shown["cost"] == sum(each["price"] for each in shown["attempts"] if each["charged"])
        costs.append((shown["cost"], shown["double_reach"]))
    return costs


@pytest.mark.parametrize(("plan", "story", "cost", "doubled"), CASES)
async def test_timeline_callback_and_feed_say_the_same_cost(
    ledger: Ledger, plan: RoutePlan, story: Callable[[Ledger], Awaitable[None]], cost: int, doubled: bool
) -> None:
    await accept(ledger, plan)
    await story(ledger)
    assert await told_costs(ledger) == [(cost, doubled)]


async def test_one_batch_holds_messages_of_all_kinds(ledger: Ledger) -> None:
    for plan, story in ((FREE, accepted), (BOTH, silent_then_sms), (ONLY_SMS, accepted), (BOTH, lost_sms)):
        await accept(ledger, plan)
        await story(ledger)
    assert await told_costs(ledger) == [(0, False), (350, False), (350, False), (0, False)]
