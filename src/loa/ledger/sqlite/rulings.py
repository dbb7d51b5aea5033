"""What people say became of messages: written down with what follows from it."""

from collections.abc import Sequence

from loa.domain.ruling import Effect
from loa.domain.standing import rule as decide
from loa.ledger.sqlite import standings
from loa.ledger.sqlite.unit import Unit
from loa.ports.records import Decision

RuleCall = tuple[int, Sequence[int], Decision]


def rule(unit: Unit, calls: list[RuleCall]) -> list[dict[int, Effect]]:
    """Rule on messages of a tenant."""
    return [_rule(unit, *call) for call in calls]


def _rule(unit: Unit, tenant_id: int, message_ids: Sequence[int], decision: Decision) -> dict[int, Effect]:
    working = standings.read(unit, set(message_ids))
    effects = dict.fromkeys(message_ids, Effect.MISSING)
    for message in working.messages.values():
        if message.tenant_id == tenant_id:
            effects[message.id] = decide(message, decision.ruling, decision.at)
    rows = [
        [message_id, decision.ruling.value, decision.reason, decision.who, decision.at]
        for message_id, effect in effects.items()
        if effect is Effect.DONE
    ]
    if rows:
        unit.run("keep_rulings", rows)
        standings.write(unit, working, decision.at)
    return effects
