"""What a message costs: what each attempt is charged, by the price that its step had when it was accepted. Pure."""

from typing import NamedTuple

from loa.domain.routes import RoutePlan


class Charge(NamedTuple):
    """What one attempt costs, in VND. `due`: whether it is owed, as far as is known."""

    price: int
    due: bool


def charge_of(plan: RoutePlan, channel_id: int, outcome: str, *, delivered: bool) -> Charge:
    """Give the charge of an attempt over a channel; `delivered`: a receipt proves that this attempt arrived.

    A provider that charges on acceptance charges what it took; whether it took an unknown one, only a receipt tells.
    """
    step = next((step for step in plan if step.channel_id == channel_id), None)
    if step is None or not step.price:
        return Charge(0, due=False)
    taken = delivered or (outcome == "accepted" and not step.on_delivery)
    return Charge(step.price, due=taken)
