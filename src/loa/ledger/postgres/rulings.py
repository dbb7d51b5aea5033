"""What people say became of messages: written down with what follows from it."""

from collections.abc import Sequence

from loa.domain.ruling import Effect
from loa.domain.standing import rule as decide
from loa.ledger.postgres import standings
from loa.ledger.postgres.unit import Unit
from loa.ports.records import Decision

RuleCall = tuple[int, Sequence[int], Decision]


async def rule(unit: Unit, calls: list[RuleCall]) -> list[dict[int, Effect]]:
    """Rule on messages of a tenant."""
    return [await _rule(unit, *call) for call in calls]


async def _rule(unit: Unit, tenant_id: int, message_ids: Sequence[int], decision: Decision) -> dict[int, Effect]:
    held = await standings.read(unit, {(tenant_id, message_id) for message_id in message_ids})
    effects = dict.fromkeys(message_ids, Effect.MISSING)
    for message in held.messages.values():
        effects[message.id] = decide(message, decision.ruling, decision.at)
    rows = [
        [tenant_id, message_id, decision.ruling.value, decision.reason, decision.who, decision.at]
        for message_id, effect in effects.items()
        if effect is Effect.DONE
    ]
    if rows:
        await unit.write("keep_rulings", rows)
        await standings.write(unit, held, decision.at)
    return effects
