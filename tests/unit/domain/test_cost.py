"""What attempts are charged: on acceptance or on delivery, and which of several arrived."""

import pytest

from loa.domain.cost import Bill, Tried, charges_of, costs_at_once, costs_by_attempts, read_bill
from loa.domain.lifecycle import State
from loa.domain.standing import ARRIVED, DOUBLE_REACH

ON_ZALO = Tried(1, "accepted")
ON_SMS = Tried(2, "accepted")
BOTH = "1/30000:200d,2:350"


@pytest.mark.parametrize(
    ("state", "flags", "tried", "due"),
    [
        (State.SENT, 0, [ON_ZALO], [False]),
        (State.DELIVERED, 0, [ON_ZALO], [True]),
        (State.DELIVERED, ARRIVED, [ON_ZALO], [True]),
        (State.UNDELIVERED, 0, [ON_ZALO], [False]),
        (State.UNKNOWN, 0, [Tried(2, "unknown")], [False]),
        (State.DELIVERED, 0, [Tried(2, "unknown")], [True]),
        (State.DELIVERED, 0, [Tried(1, "refused"), ON_SMS], [False, True]),
        (State.DELIVERED, 0, [ON_ZALO, ON_SMS], [False, True]),
        (State.SENDING, ARRIVED, [ON_ZALO._replace(proven=True), Tried(2, "")], [True, False]),
        (State.CANCELLED, ARRIVED, [ON_ZALO], [True]),
        (State.DELIVERED, ARRIVED, [ON_ZALO._replace(proven=True), Tried(2, "unknown")], [True, False]),
        (State.DELIVERED, ARRIVED, [ON_ZALO._replace(proven=True), ON_SMS], [True, True]),
        (State.REJECTED, 0, [], []),
    ],
)
def test_an_attempt_is_charged_once_it_was_taken_or_arrived(
    state: State, flags: int, tried: list[Tried], due: list[bool]
) -> None:
    assert [charge.due for charge in charges_of(BOTH, state, flags, tried)] == due


def test_a_channel_without_a_price_or_outside_the_plan_costs_nothing() -> None:
    charges = charges_of("1,2:350", State.DELIVERED, 0, [Tried(1, "accepted"), Tried(3, "accepted")])
    assert charges == [(0, False), (0, False)]


@pytest.mark.parametrize(
    ("told", "bill"),
    [
        ("2:350 2 0 1 2 accepted", Bill("2:350", 2, 0, 350)),
        ("2:350 1 0 1 2 ", Bill("2:350", 1, 0, 0)),
        ("1,2 4 96 3 2 accepted", Bill("1,2", 4, ARRIVED | DOUBLE_REACH, 0)),
        (f"{BOTH} 4 0 2 2 accepted", Bill(BOTH, 4, 0, None)),
    ],
)
def test_a_bill_tells_the_cost_at_once_unless_several_attempts_have_a_price(told: str, bill: Bill) -> None:
    assert read_bill(told) == bill
    assert read_bill(told).double_reach == bool(bill.flags & DOUBLE_REACH)


def test_several_attempts_are_added_up_by_message_in_whatever_order_they_come() -> None:
    delivered, doubled = f"{BOTH} 4 0 2 2 accepted", f"{BOTH} 4 {ARRIVED} 2 2 accepted"
    bills = {7: read_bill(delivered), 8: read_bill(doubled), 9: read_bill("2:350 2 0 1 2 accepted")}
    rows = [(7, 2, 2, "accepted", False), (8, 1, 1, "accepted", True), (7, 1, 1, "refused", False)]
    rows.append((8, 2, 2, "accepted", False))
    assert costs_at_once(bills) == {9: 350}
    assert costs_by_attempts(bills, rows) == {7: 350, 8: 550}
