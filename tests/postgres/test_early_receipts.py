"""A receipt at one node, its response at another, statement by statement in every order: nothing stays parked."""

import random
from collections.abc import Iterator, Sequence
from itertools import count

from loa.domain.outcome import Accepted
from loa.domain.receipt import Receipt
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ports.channel import Attempt
from tests.contract.ledger.values import NUMBER, claim, receipt, settlement, state_of, submission
from tests.support.schedule import take_turns
from tests.support.shared_ledger import SharedLedger

LONGEST = 30
"""More statements than either has."""
_numbers = count(1)


async def race(
    recording: PostgresLedger, storing: PostgresLedger, order: Sequence[int], *, forms: int = 1
) -> tuple[int, int]:
    """Let one node record a response while another stores the receipt, and see that the message is delivered."""
    number = next(_numbers)
    ref = f"{number}Z"
    await recording.accept(submission(numbers=[NUMBER + number]))
    (attempt,) = await claim(recording)
    refs = [f"x{i}-{ref}" for i in range(forms - 1)] + [ref]
    works = await _works(recording, storing, attempt, ref, [receipt(*refs, destination=NUMBER + number)])
    steps = await take_turns(*works, order)
    assert await storing.orphans() == [], order
    assert await state_of(storing, attempt.message_id) == "delivered", order
    timeline = await storing.timeline(1, attempt.message_id)
    assert timeline is not None
    assert [event["state"] for event in timeline["events"]] == ["delivered"], order
    assert [one["result"] for one in timeline["receipts"]] == ["applied"], order
    return steps


async def _works(
    recording: PostgresLedger, storing: PostgresLedger, attempt: Attempt, ref: str, receipts: list[Receipt]
):  # type: ignore[no-untyped-def]
    return (
        (recording._desks["record"]._lines[0], recording.record([settlement(attempt, Accepted((ref,)))])),
        (storing._desks["receipts"]._lines[0], storing.store(receipts)),
    )


def two_switches(lengths: tuple[int, int]) -> Iterator[list[int]]:
    """Each order in which one work is broken into two parts and the other one goes in between, itself broken or not."""
    for first in (0, 1):
        other = 1 - first
        for before in range(lengths[first] + 1):
            for between in range(1, lengths[other] + 1):
                yield [first] * before + [other] * between + [first] * LONGEST


async def test_in_no_order_of_their_statements_does_a_receipt_stay_parked(shared: SharedLedger) -> None:
    nodes = await shared.open("a", timeout_s=8), await shared.open("b", timeout_s=8)
    await race(*nodes, [1] * LONGEST)
    lengths = await race(*nodes, [0, 1] * LONGEST)
    orders = list(two_switches(lengths))
    assert len(orders) > 100
    for order in orders:
        await race(*nodes, order)


async def test_nor_does_it_in_orders_drawn_at_random(shared: SharedLedger) -> None:
    nodes = await shared.open("a", timeout_s=8), await shared.open("b", timeout_s=8)
    chance = random.Random(20_261_118)
    for _ in range(60):
        await race(*nodes, [chance.randrange(2) for _ in range(2 * LONGEST)], forms=3)


async def test_one_receipt_at_two_nodes_at_once_is_applied_once_and_told_once(shared: SharedLedger) -> None:
    nodes = await shared.open("a", timeout_s=8), await shared.open("b", timeout_s=8)
    chance = random.Random(7)
    for number in range(40):
        await nodes[0].accept(submission(numbers=[NUMBER + number]))
        (attempt,) = await claim(nodes[0])
        await nodes[0].record([settlement(attempt, Accepted((f"R{number}",)))])
        same = receipt(f"R{number}", destination=NUMBER + number)
        first, second = ((node._desks["receipts"]._lines[0], node.store([same])) for node in nodes)
        await take_turns(first, second, [chance.randrange(2) for _ in range(LONGEST)])
        timeline = await nodes[0].timeline(1, attempt.message_id)
        assert timeline is not None
        assert [event["state"] for event in timeline["events"]] == ["delivered"]
