"""What a message costs: what each attempt is charged, by the price that its step had when it was accepted. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from loa.domain.lifecycle import State
from loa.domain.routes import RoutePlan, is_priced, read_plan
from loa.domain.standing import ARRIVED, DOUBLE_REACH

BILLS_KEPT: Final = 4_096
"""A few bills serve nearly all messages."""


class Charge(NamedTuple):
    """What one attempt costs, in VND. `due`: whether it is owed, as far as is known."""

    price: int
    due: bool


class Tried(NamedTuple):
    """One attempt of a message. `proven`: receipts under its references prove that it arrived."""

    channel_id: int
    outcome: str
    proven: bool = False


class Bill(NamedTuple):
    """What the cost of a message follows from. `at_once`: the cost, None where it takes all its attempts to tell."""

    plan: str
    state: int
    flags: int
    at_once: int | None

    @property
    def double_reach(self) -> bool:
        """Whether the message proves to have reached the handset over two steps."""
        return bool(self.flags & DOUBLE_REACH)


Attempted = tuple[int, int, int, str, bool]
"""An attempt of one of several messages: message, number, channel, outcome, proven."""


def charge_of(plan: RoutePlan, channel_id: int, outcome: str, *, delivered: bool) -> Charge:
    """Give the charge of an attempt over a channel; `delivered`: a receipt proves that this attempt arrived.

    A provider that charges on acceptance charges what it took; whether it took an unknown one, only a receipt tells.
    """
    step = next((step for step in plan if step.channel_id == channel_id), None)
    if step is None or not step.price:
        return Charge(0, due=False)
    taken = delivered or (outcome == "accepted" and not step.on_delivery)
    return Charge(step.price, due=taken)


def charges_of(plan: str, state: int, flags: int, tried: Sequence[Tried]) -> list[Charge]:
    """Give the charge of each attempt of a message, all of them in their order.

    Unless an attempt before the last one arrived, the state says it all: only the last one can have, and did where the
    message is delivered. After that it takes receipts; of one attempt alone it is clear which one arrived.
    """
    steps, last = read_plan(plan), len(tried) - 1
    earlier, delivered = flags & ARRIVED, state == State.DELIVERED
    charges = []
    for place, (channel_id, outcome, proven) in enumerate(tried):
        arrived = (proven or not last) if earlier else (delivered and place == last)
        charges.append(charge_of(steps, channel_id, outcome, delivered=arrived))
    return charges


def total(charges: Iterable[Charge]) -> int:
    """Add up what is owed."""
    return sum(charge.price for charge in charges if charge.due)


@lru_cache(maxsize=BILLS_KEPT)
def read_bill(told: str) -> Bill:
    """Read a bill as the ledgers tell it: as one text, so that those that are equal are read once.

    Shapes: plan, state, flags, number of attempts, channel and outcome of the last one, with spaces between.
    """
    plan, *numbers, outcome = told.split(" ")
    state, flags, attempts, channel_id = map(int, numbers)
    if not is_priced(plan):
        at_once: int | None = 0
    elif attempts > 1:
        at_once = None
    else:
        at_once = total(charges_of(plan, state, flags, [Tried(channel_id, outcome)]))
    return Bill(plan, state, flags, at_once)


def costs_at_once(bills: Mapping[int, Bill]) -> dict[int, int]:
    """Give the costs of messages so far, by their ids, without those for which it takes all their attempts to tell."""
    return {message_id: bill.at_once for message_id, bill in bills.items() if bill.at_once is not None}


def costs_by_attempts(bills: Mapping[int, Bill], rows: Iterable[Attempted]) -> dict[int, int]:
    """Give the costs of the messages whose attempts are given, by the messages' ids."""
    tried: dict[int, list[tuple[int, int, str, bool]]] = {}
    for message_id, number, channel_id, outcome, proven in rows:
        tried.setdefault(message_id, []).append((number, channel_id, outcome, proven))
    return {message_id: _cost(bills[message_id], tuple(sorted(attempts))) for message_id, attempts in tried.items()}


@lru_cache(maxsize=BILLS_KEPT)
def _cost(bill: Bill, attempts: tuple[tuple[int, int, str, bool], ...]) -> int:
    tried = [Tried(channel_id, outcome, bool(proven)) for _number, channel_id, outcome, proven in attempts]
    return total(charges_of(bill.plan, bill.state, bill.flags, tried))
