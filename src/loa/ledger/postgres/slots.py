"""Which slots of which channel this process holds.

Every process that works with channels comes by each second and finds out by a rule alone what its part is: slot
number n of a channel belongs to the n-th of the living processes, counted round. It takes free slots up to its part
and gives up what is above it, but never one that it still uses.
"""

from collections.abc import Mapping

from loa.ledger.postgres.unit import Unit
from loa.ports.records import SlotUse

Uses = Mapping[int, SlotUse]


async def share(unit: Unit, calls: list[Uses]) -> list[Mapping[int, int]]:
    """Settle the slots for each caller."""
    return [await _share(unit, uses) for uses in calls]


async def _share(unit: Unit, uses: Uses) -> Mapping[int, int]:
    node = unit.shared.node
    await unit.run("take_turn")
    if node.may_judge() and await unit.rows("note_dead", node.boot, node.dead_after_s):
        await unit.run("release_callbacks")
    await unit.run("want_shares", node.boot)
    await unit.run("free_slots")
    sharers = [row[0] for row in await unit.rows("sharers", node.dead_after_s)]
    if node.boot not in sharers:
        # Taken for dead meanwhile: the heart will enter anew.
        node.fenced()
        return dict.fromkeys(uses, 0)
    if not uses:
        return {}
    totals = [[channel_id, use.total] for channel_id, use in uses.items()]
    await unit.write("make_slots", totals)
    await unit.write("remove_slots", totals, node.boot)
    return await _balance(unit, uses, sharers.index(node.boot), len(sharers))


async def _balance(unit: Unit, uses: Uses, place: int, count: int) -> Mapping[int, int]:
    boot = unit.shared.node.boot
    held = dict(await unit.rows("slots_held", boot))
    part = {channel_id: part_of(channel_id, use.total, place, count) for channel_id, use in uses.items()}
    taking, giving = [], []
    for channel_id, use in uses.items():
        have = held.get(channel_id, 0)
        keep = max(part[channel_id], min(use.in_use, have))
        if have < part[channel_id]:
            taking.append([channel_id, part[channel_id] - have])
        elif have > keep:
            giving.append([channel_id, have - keep])
    if giving:
        await unit.write("give_slots", giving, boot)
    if taking:
        await unit.write("take_slots", taking, boot)
        held = dict(await unit.rows("slots_held", boot))
    return {channel_id: min(held.get(channel_id, 0), part[channel_id]) for channel_id in uses}


def part_of(channel_id: int, total: int, place: int, count: int) -> int:
    """Say how many of `total` slots belong to the process at `place` of `count`; channels begin at different ones.

    Shapes: 0 <= place < count; the parts of all places add up to `total`.
    """
    return sum((number + channel_id) % count == place for number in range(total))
