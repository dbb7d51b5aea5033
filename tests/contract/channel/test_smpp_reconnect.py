"""How an SMPP link comes back: waits that double, high ones after a refused bind, no hot loop."""

import asyncio

import pytest
from tests.contract.channel.peers import Smsc, Watch
from tests.contract.channel.rig import Rig
from tests.contract.channel.smpp_rig import settings_for

from loa.channels.registry import OWN
from loa.observe.clock import SystemClock


class ImpatientClock(SystemClock):
    """Notes how long it was to wait, and does not wait."""

    def __init__(self):
        self.waits = []
        self.watch = Watch()

    async def sleep(self, seconds):
        self.waits.append(seconds)
        self.watch.changed()
        await asyncio.sleep(0)


async def waits_of(smsc, count, **changes):
    clock = ImpatientClock()
    settings = settings_for(smsc) | {"reconnect_first_s": 1, "reconnect_longest_s": 60} | changes
    rig = Rig(OWN["smpp"], settings, clock=clock)
    await rig.start(ready=False)
    try:
        await clock.watch.until(lambda: len(clock.waits) >= count)
    finally:
        await rig.channel.stop(0)
    return clock.waits[:count]


def within_jitter(waits, expected):
    return all(want * 0.5 <= wait <= want * 1.5 for wait, want in zip(waits, expected, strict=True))


async def test_waits_double_up_to_the_longest():
    smsc = await Smsc().start()
    await smsc.close()
    assert within_jitter(await waits_of(smsc, 8), [1, 2, 4, 8, 16, 32, 60, 60])


@pytest.mark.parametrize(("status", "least"), [(0x0D, 30), (0x0E, 30), (0x0F, 30), (0x05, 5)])
async def test_a_refused_bind_waits_longer(status, least):
    smsc = await Smsc().start()
    smsc.on_bind = smsc.refuse_bind(status)
    waits = await waits_of(smsc, 3)
    assert within_jitter(waits, [least, least, max(4, least)])
    await smsc.close()


async def test_a_peer_that_binds_and_hangs_up_makes_no_hot_loop():
    smsc = await Smsc().start()

    def bind_and_leave(session, pdu):
        smsc.accept_bind(session, pdu)
        session.transport.close()

    smsc.on_bind = bind_and_leave
    assert within_jitter(await waits_of(smsc, 5), [1, 2, 4, 8, 16])
    await smsc.close()
