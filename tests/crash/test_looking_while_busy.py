"""The witnesses are read one after the other while Loa goes on; what moves meanwhile is not taken for lost."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from loa.certify.client import OTP, Ask
from loa.certify.world import World
from loa.simulators.pick import ALL
from loa.simulators.smsc.script import Script

MOMENTS = ("before", "after")


async def receipt_waits(world: World) -> Ask:
    """Have a code sent whose reference never comes, and its receipt acknowledged: it waits for its message."""
    early, late = world.client.ask(OTP), world.client.ask(OTP)
    acked, taken = world.smsc.counts.receipts_acked, world.smsc.counts.accepted
    await world.accept([early])
    await world.meanwhile("a receipt", world.smsc.until(lambda counts: counts.receipts_acked > acked))
    # The SMSC writes its journal in order: with the next submit on disk the receipt is as well.
    await world.accept([late])
    await world.meanwhile("another submit", world.smsc.until(lambda counts: counts.accepted > taken + 1))
    return early


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_receipt_that_finds_its_message_while_the_ledger_is_read_is_not_gone(
    world: World, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.smsc.change(Script(drop_response=ALL))
    await world.boot()
    ask = await receipt_waits(world)
    ask_loa: Callable[..., Awaitable[Any]] = world.do

    async def find() -> None:
        world.smsc.close_all()
        await world.until_state([ask], "delivered")

    async def do(verb: str, **args: Any) -> Any:
        if moment == "before":
            await find()
        answer = await ask_loa(verb, **args)
        if moment == "after":
            await find()
        return answer

    monkeypatch.setattr(world, "do", do)
    await world.look()
    assert world.found is not None
    assert world.found.told, "a receipt was acknowledged before the look"
    assert [receipt[1] for receipt in world.found.receipts].count("DELIVRD") >= (moment == "before")
