"""F45 on several nodes: one of them renews, the others hear of it, and a node that stood still changes nothing."""

import asyncio
from random import Random

from loa.ledger.postgres.ledger import PostgresLedger
from loa.stages.custody import EVERY_MS, Custodian
from loa.stages.renewal import RIGHT_MS, Charge, Renewer
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.grants import Issuer, pair
from tests.support.shared_ledger import SharedLedger

CHANNEL = 3


def custodian(node: PostgresLedger, issuer: Issuer, *, ahead_s: float = 0) -> Custodian:
    """Keep the grant on a node, half a day after it was issued, by a clock that may be wrong."""
    clock = FakeClock(EPOCH + EVERY_MS)
    clock.set_by(ahead_s)
    return Custodian(Charge(CHANNEL, "oa", issuer, {}), node, Renewer(node, clock, QuietProbe()), clock, Random(1))


async def test_f45_of_three_nodes_that_find_a_pair_due_one_spends_it(shared: SharedLedger) -> None:
    nodes, issuer = [await shared.open(name) for name in "abc"], Issuer()
    woken = asyncio.Event()
    for node in nodes:
        node.listen(woken.set)
    await nodes[0].keep(CHANNEL, pair(1), EPOCH)
    # Their clocks are further apart than a right lasts.
    keepers = [custodian(node, issuer, ahead_s=RIGHT_MS / 500 * number) for number, node in enumerate(nodes)]
    woken.clear()
    await asyncio.gather(*(keeper.tick() for keeper in keepers))
    async with asyncio.timeout(10):
        await woken.wait()
    await asyncio.gather(*(keeper.tick() for keeper in keepers))
    assert {keeper.current() for keeper in keepers} == {"access-2"}
    assert (issuer.sent, issuer.double) == (["refresh-1"], 0)


async def test_f45_a_node_that_died_over_a_token_has_no_other_send_it(shared: SharedLedger) -> None:
    one, two, issuer = await shared.open("a"), await shared.open("b"), Issuer()
    await one.keep(CHANNEL, pair(1), EPOCH)
    issuer.held = asyncio.Event()
    stuck = asyncio.create_task(custodian(one, issuer).tick())
    await issuer.asked.wait()
    other = custodian(two, issuer)
    await other.tick()
    grant = await two.grant(CHANNEL)
    assert grant is not None
    assert grant.consent_needed == "", "it may still get its answer"
    await shared.rows("UPDATE channel_grant SET renewal_until = 0")
    await other.tick()
    grant = await two.grant(CHANNEL)
    assert grant is not None
    assert (grant.consent_needed, issuer.sent, other.current()) == ("interrupted", [], "access-1")
    # It was not dead, only slow: what it brings is kept, and nobody is needed any more.
    issuer.held.set()
    await stuck
    await other.tick()
    assert (other.current(), other.alarms(), issuer.double) == ("access-2", (), 0)
