"""Moves messages through their life in a ledger, as the stages would, for tests of what is read."""

from typing import Any

from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.domain.receipt import Receipt
from loa.domain.traffic import TrafficClass
from loa.ports.channel import Attempt
from loa.ports.records import CallbackTry, Settlement
from tests.support.native_api import House

LANES = [(each, 1_000) for each in TrafficClass]


async def hand_over(house: House, *, first_ref: int = 1) -> list[Attempt]:
    """Claim everything due and have the provider accept it under the references ref-1, ref-2, …."""
    now = house.clock.now()
    attempts = await house.ledger.claim(house.channel.id, LANES, 1_000, now, now + 90_000)
    await house.ledger.record(
        [
            Settlement(each.message_id, each.number, each.channel_id, Accepted((f"ref-{first_ref + index}",)), now + 40)
            for index, each in enumerate(attempts)
        ]
    )
    return attempts


async def deliver(house: House, ref: str = "ref-1", **given: Any) -> None:
    """Have a receipt prove delivery."""
    values: dict[str, Any] = {
        "channel_id": house.channel.id,
        "refs": (ref,),
        "state": State.DELIVERED,
        "stat": "DELIVRD",
        "destination": 84_912_345_678,
        "detail": "000",
        "raw": f"id:{ref} sub:001 dlvrd:001 stat:DELIVRD err:000 text:hello".encode(),
        "received_at": house.clock.now() + 900,
    }
    await house.ledger.store([Receipt(**{**values, **given})])


async def post_callback(house: House, *, delivered: bool = True, over: bool = True) -> int:
    """Try the first due callback once and give its id."""
    now = house.clock.now() + 1_000
    (due, *_) = await house.ledger.claim_due(1, 1, now, now + 60_000, [])
    await house.ledger.record_tries(
        [
            CallbackTry(
                due.id,
                due.tries + 1,
                now,
                200 if delivered else 503,
                "" if delivered else "status",
                "ok" if delivered else "no",
                12,
                delivered=delivered,
                next_at=None if over else now + 5_000,
            )
        ]
    )
    return due.id
