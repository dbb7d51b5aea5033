"""Which function does which kind of call, and which desk: what must not wait behind what."""

from typing import Any, Final

from loa.ledger.postgres import (
    accept,
    batches,
    callbacks,
    claims,
    directory,
    figures,
    grants,
    inbound,
    receipts,
    restoring,
    rulings,
    sealing,
    silence,
    slots,
    templates,
    upkeep,
    users,
)
from loa.ledger.postgres.unit import Handler
from loa.ledger.postgres.writer import DeskPlan


async def _ping(unit: Any, calls: list[None]) -> list[None]:
    await unit.run("ping")
    return [None] * len(calls)


HANDLERS: Final[dict[str, Handler]] = {
    "accept": accept.accept,
    "cancel": accept.cancel,
    "cancel_message": accept.cancel_message,
    "record": claims.record,
    "receipts": receipts.store,
    "rule": rulings.rule,
    "inbound": inbound.take,
    "claim": claims.claim,
    "next_due": claims.next_due,
    "settle_stale": claims.settle_stale,
    "rematch": receipts.rematch,
    "claim_callbacks": callbacks.claim_due,
    "record_tries": callbacks.record_tries,
    "next_callback_due": callbacks.next_callback_due,
    "endpoint_health": callbacks.set_endpoint_health,
    "replay": callbacks.replay,
    "expire": upkeep.expire_queued,
    "settle_unknown": upkeep.settle_unknown,
    "purge": upkeep.purge,
    "hold": restoring.hold,
    "go_on": silence.go_on_with,
    "learn": silence.learn,
    "drop_days": upkeep.drop_days,
    "change": directory.change,
    "touch_keys": directory.touch_keys,
    "put_templates": templates.put,
    "template_look": templates.look,
    "grants": grants.change,
    "sealing": sealing.change,
    "users": users.change,
    "batches": batches.change,
    "share": slots.share,
    "figures": figures.keep,
    "queue_ages": figures.note_ages,
    "ping": _ping,
}

DESKS: Final = (
    DeskPlan(("accept",), 2, weigh=accept.weigh, weight_per_commit=20_000),
    DeskPlan(("record",), 1),
    DeskPlan(("receipts", "inbound"), 1),
    DeskPlan(("claim",), 1),
    DeskPlan(("claim_callbacks", "next_callback_due", "next_due"), 1, calls_per_commit=8, one_statement=True),
    DeskPlan(("record_tries",), 1, one_statement=True),
    DeskPlan(
        (
            "cancel",
            "cancel_message",
            "endpoint_health",
            "settle_stale",
            "rematch",
            "replay",
            "expire",
            "settle_unknown",
            "rule",
            "purge",
            "hold",
            "go_on",
            "learn",
            "drop_days",
            "change",
            "touch_keys",
            "put_templates",
            "template_look",
            "grants",
            "sealing",
            "users",
            "batches",
            "share",
            "figures",
            "queue_ages",
            "ping",
        ),
        1,
        calls_per_commit=32,
    ),
)
