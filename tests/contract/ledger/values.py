"""Short ways to say what a test is about; everything not said is ordinary."""

from collections.abc import Sequence
from typing import Any

from loa.domain.ids import new_referent_id, new_token
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Outcome
from loa.domain.receipt import Receipt
from loa.domain.routes import plan_of
from loa.domain.traffic import OnUnknown, TrafficClass
from loa.ports.channel import Attempt
from loa.ports.ledger import Ledger
from loa.ports.records import CallbackTry, NewSubmission, Settlement
from tests.support.fakes import EPOCH

OTP, TRANSACTIONAL, ADVERTISING = TrafficClass.OTP, TrafficClass.TRANSACTIONAL, TrafficClass.ADVERTISING
MINUTE = 60_000
DAY = 86_400_000
NUMBER = 84_912_345_678
ALL_LANES = [(c, 1_000) for c in TrafficClass]


def submission(**given: Any) -> NewSubmission:
    at = given.pop("at", EPOCH)
    numbers = given.pop("numbers", [NUMBER])
    plan = given.pop("plan", (1,))
    referent_id = new_referent_id(at)
    values: dict[str, Any] = {
        "tenant_id": 1,
        "key_id": 1,
        "referent_id": referent_id,
        "token": new_token(referent_id),
        "request_id": "",
        "fingerprint": b"",
        "strict": False,
        "sender": "LOA",
        "text": "Xin chào 🙂 \"quoted\" 'x' \\ \n",
        "encoding": "ucs2",
        "segment_count": 1,
        "traffic_class": TRANSACTIONAL,
        "accepted_at": at,
        "due_at": at,
        "expires_at": at + DAY,
        "plans": [(plan_of(*plan) if isinstance(plan[0], int) else plan, numbers)],
    }
    return NewSubmission(**{**values, **given})


async def claim(ledger: Ledger, now: int = EPOCH, channel: int = 1, limit: int = 1_000) -> list[Attempt]:
    return await ledger.claim(channel, ALL_LANES, limit, now, now + 90_000)


def settlement(attempt: Attempt, outcome: Outcome, at: int = EPOCH, **given: Any) -> Settlement:
    values = {"tenant_id": attempt.tenant_id, **given}
    return Settlement(attempt.message_id, attempt.number, attempt.channel_id, outcome, at, **values)


def receipt(*refs: str, state: State | None = State.DELIVERED, **given: Any) -> Receipt:
    values: dict[str, Any] = {
        "channel_id": 1,
        "refs": refs,
        "state": state,
        "stat": "DELIVRD" if state is State.DELIVERED else "OTHER" if state is None else state.name[:7],
        "destination": NUMBER,
        "detail": "000",
        "raw": b"\x00\xffid:1",
        "received_at": EPOCH + 1_000,
    }
    return Receipt(**{**values, **given})


def no_resend(_tenant: int, _class: TrafficClass) -> tuple[int, OnUnknown]:
    return 30_000, OnUnknown.NEVER


def resend(_tenant: int, _class: TrafficClass) -> tuple[int, OnUnknown]:
    return 120_000, OnUnknown.RESEND_ONCE


async def sent(ledger: Ledger, *refs: str, now: int = EPOCH, **given: Any) -> Attempt:
    """Carry one message as far as `sent`."""
    await ledger.accept(submission(at=now, **given))
    (attempt,) = await claim(ledger, now)
    assert await ledger.record([settlement(attempt, Accepted(refs or ("ref-1",)), now)]) == 1
    return attempt


async def state_of(ledger: Ledger, message_id: int, tenant_id: int = 1) -> str:
    row = await ledger.message(tenant_id, message_id)
    assert row is not None
    return str(row["state"])


async def told(ledger: Ledger, tenant_id: int = 1) -> Sequence[str]:
    """The states the tenant was told of, in order."""
    return [row["state"] for row in await ledger.events(tenant_id, 0, 1_000)]


def tried(callback_id: int, number: int = 1, **given: Any) -> CallbackTry:
    values: dict[str, Any] = {
        "callback_id": callback_id,
        "number": number,
        "at": EPOCH,
        "status": 200,
        "error": "",
        "excerpt": "",
        "elapsed_ms": 3,
        "delivered": True,
        "next_at": None,
    }
    return CallbackTry(**{**values, **given})


def keep(**given: int) -> dict[str, int]:
    """How long rows are kept, a thousand days where nothing else is said."""
    kinds = ("request_ids", "parked", "content_otp", "content", "numbers", "receipts", "history")
    return {**dict.fromkeys(kinds, 1_000 * DAY), **given}
