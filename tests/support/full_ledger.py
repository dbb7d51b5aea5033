"""An embedded ledger with everything that a ledger may hold, and all that can be read of one, to compare two."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from loa.domain.batch_plan import BatchPlan, Source, as_json
from loa.domain.latency import Wait
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Outcome, Refused, Unknown
from loa.domain.roles import Role
from loa.domain.routes import Step
from loa.domain.rules import Finding
from loa.domain.ruling import Ruling
from loa.domain.template import Parameter, Tag, Template
from loa.domain.traffic import OnUnknown
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.batches import BatchNote, BatchPart, NewBatch
from loa.ports.grants import Consent, Tokens
from loa.ports.ledger import Ledger
from loa.ports.records import ApiKey, Decision, MessageFilter, NewInbound, NewSubmission
from loa.ports.users import Credentials, Deed, Link, Purpose, SignIn
from tests.contract.ledger.values import (
    ADVERTISING,
    ALL_LANES,
    DAY,
    MINUTE,
    NUMBER,
    OTP,
    TRANSACTIONAL,
    claim,
    keep,
    receipt,
    settlement,
    submission,
    tried,
)
from tests.support.fakes import EPOCH, QuietProbe

LATER = EPOCH + 90_000
MUCH_LATER = LATER + DAY // 2


async def make_full(path: Path) -> None:
    """Make a ledger with messages in every state, as a process leaves it that was killed."""
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    try:
        await _directory(ledger)
        await _history(ledger)
        # Not all of it: counting goes on where it stood, wherever that is.
        assert await ledger.count_figures(5)
        await _open_ends(ledger)
        await fill_batches(ledger, 1)
    finally:
        await ledger.close()


async def _directory(ledger: Ledger) -> None:
    await ledger.add_tenant("acme", EPOCH)
    other = await ledger.add_tenant("Bưu điện", EPOCH)
    await ledger.set_policies(other.id, {"transactional": {"on_unknown": "never"}})
    for tenant in (1, 2):
        endpoint = await ledger.add_endpoint(
            tenant, f"https://{tenant}.example/", "whsec_x", every_step=tenant == 2, inbound=tenant == 2
        )
        digest = bytes([tenant]) * 32
        key = ApiKey(0, tenant, "shop", digest, "loa_live_…", True, frozenset({"send"}), ("LOA",), ("10.0.0.0/8",))
        kept = await ledger.add_key(key)
        await ledger.set_default_endpoint(kept.id, endpoint.id)
        await ledger.add_sender(tenant, "LOA", "brandname")
    await ledger.touch_keys({1: EPOCH + 5})
    await ledger.revoke_key(2, EPOCH + 6)
    await ledger.set_endpoint_health(2, EPOCH, None, "")
    for name in ("main", "spare"):
        await ledger.add_channel(name, "sandbox", {"window": 5, "note": 'a "quoted" \\ text'})
    await ledger.change_channel("spare", paused=True)
    offer = Template(1, "7", "offer", "enabled", Tag.PROMOTION, parameters=(Parameter("code", max_length=10),))
    await ledger.put_templates(1, [offer, Template(1, "8", "gone", "enabled")], EPOCH)
    await ledger.put_templates(1, [offer], EPOCH + 1)
    await ledger.set_template_text(1, "7", "Mã <code>")
    await ledger.keep(1, Tokens("access", "refresh", EPOCH + DAY, EPOCH + 90 * DAY), EPOCH)
    renewal = await ledger.begin_renewal(1, EPOCH + 1, EPOCH + MINUTE)
    assert renewal is not None
    await ledger.mark_spent(renewal, EPOCH + 2)
    await ledger.need_consent(1, "no_answer", renewal)
    await ledger.ask_consent(Consent(1, "state", "verifier", "https://loa.example/", EPOCH, EPOCH + 10 * MINUTE))
    await fill_users(ledger)
    await ledger.add_route(1, [1, 2], sender="LOA", traffic_class=OTP, carrier="viettel")
    await ledger.add_route(2, [2])


async def _told(ledger: Ledger, number: int, **given: Any) -> NewSubmission:
    tenant = given.get("tenant_id", 1)
    endpoint = tenant if given.pop("told", True) else None
    new = submission(
        numbers=[NUMBER + number],
        endpoint_id=endpoint,
        request_id=f"r-{number}",
        fingerprint=bytes([number]) * 8,
        ext={"metadata": {"order": number, "tên": "đơn 🙂"}},
        **given,
    )
    await ledger.accept(new)
    return new


async def _history(ledger: Ledger) -> None:
    """Messages that came to their end in every way, and those that wait to be told of it."""
    outcomes: list[Outcome] = [Accepted((f"ref-{n}",)) for n in range(6)]
    outcomes += [Refused("no such number", lasting=True), Unknown("silence"), Unknown("silence"), Deferred("busy")]
    for number, _ in enumerate(outcomes):
        await _told(ledger, number, tenant_id=1 + number % 2)
    (long,) = [await _told(ledger, 40, segment_count=2, text="x" * 200)]
    assert long.segment_count == 2
    attempts = await claim(ledger)
    given = {"wait_until": EPOCH + MINUTE, "after": OnUnknown.NEVER, "retry_at": EPOCH + 5 * MINUTE}
    settled = [settlement(a, o, EPOCH + 3, **given) for a, o in zip(attempts, outcomes, strict=False)]
    await ledger.record([*settled, settlement(attempts[-1], Accepted(("part-1", "part-2")), EPOCH + 3)])
    states = (State.DELIVERED, State.UNDELIVERED, State.EXPIRED, None)
    told = [receipt(f"ref-{n}", state=s, destination=NUMBER + n) for n, s in enumerate(states)]
    told += [receipt("part-1", destination=NUMBER + 40), receipt("PARK-7", "0park-7", destination=1, detail="a\0b")]
    await ledger.store([*told, told[0]])
    await ledger.settle_unknown(1, EPOCH + 2 * MINUTE)
    await _told(ledger, 80, plan=(Step(1, 30_000, 200, True), Step(2)), rich={1: {"kind": "template"}}, brandname="B")
    waiting = await claim(ledger, limit=1)
    await ledger.record([settlement(a, Accepted(("wait-1",)), EPOCH + 3) for a in waiting])
    await ledger.learn({Wait(1, 0, 3): 7})
    await _ruled(ledger)
    await _inbound(ledger)
    await _callbacks(ledger)


async def _ruled(ledger: Ledger) -> None:
    """What a person settled, and a dead letter that one has dealt with; a receipt contradicts the first."""
    for number in (90, 91):
        await _told(ledger, number)
    lost, dead = await claim(ledger, limit=2)
    given = {"wait_until": EPOCH + MINUTE, "after": OnUnknown.RESEND_ONCE}
    await ledger.record(
        [
            settlement(lost, Unknown("silence", ("lost-1",)), EPOCH + 3, **given),
            settlement(dead, Deferred("busy"), EPOCH + 3, dead=True),
        ]
    )
    said = {Ruling.DELIVERED: lost, Ruling.DEALT_WITH: dead}
    for ruling, attempt in said.items():
        await ledger.rule(1, [attempt.message_id], Decision(ruling, 'hãng báo "xong"', "mai", EPOCH + 5))
    await ledger.store([receipt("lost-1", state=State.UNDELIVERED, destination=NUMBER + 90)])


async def _inbound(ledger: Ledger) -> None:
    """What came in beside receipts: told to an endpoint, in the feed alone, of nobody, and without its content."""
    at = EPOCH - 400 * DAY
    old = NewInbound(1, "follow", "follow:0", -186, 1, {"raw": {"a": "🙂"}}, b"\x00\xff{}", at, at - 1)
    await ledger.take_inbound([old])
    await ledger.purge(1, at + 2 * DAY, keep(content=DAY))
    events = [
        replace(old, key=f"follow:{tenant}", tenant_id=tenant or None, received_at=EPOCH + 20 + tenant)
        for tenant in (0, 1, 2)
    ]
    await ledger.take_inbound(events)


async def _callbacks(ledger: Ledger) -> None:
    """Callbacks that were taken, put off, given up, asked for again, claimed when the process ended, and due."""
    due = await ledger.claim_due(100, 100, LATER, LATER + MINUTE, [])
    assert len(due) >= 6
    one, two, three, four, *_ = due
    await ledger.record_tries([tried(one.id, 1, at=LATER), tried(two.id, 1, delivered=False, next_at=LATER + MINUTE)])
    await ledger.record_tries([tried(three.id, n, delivered=False, next_at=LATER + n) for n in (1, 2)])
    await ledger.record_tries([tried(three.id, 3, at=LATER, delivered=False, error="status", status=503)])
    await ledger.record_tries([tried(four.id, n, delivered=False, next_at=LATER) for n in (1, 2)])
    await ledger.replay(four.tenant_id, [four.id], None, 0, LATER)
    await ledger.record_tries([tried(four.id, 1, at=LATER + 7)])


async def _open_ends(ledger: Ledger) -> None:
    """What is queued, scheduled, cancelled, expired, and on its way over two channels."""
    await _told(ledger, 50, traffic_class=ADVERTISING, due_at=EPOCH + 60 * MINUTE, scheduled=True)
    gone = await _told(ledger, 51, due_at=EPOCH + MINUTE)
    await ledger.cancel(1, gone.referent_id, EPOCH + 4)
    await _told(ledger, 52, expires_at=EPOCH + 1)
    await ledger.expire(100, EPOCH + 2)
    for number, plan in ((60, (1, 2)), (61, (2,)), (62, (1,))):
        await _told(ledger, number, tenant_id=2, plan=plan, traffic_class=TRANSACTIONAL)
    await ledger.claim(1, ALL_LANES, 1, LATER, LATER + 9)
    await ledger.claim(2, ALL_LANES, 5, LATER + 1, LATER + 10)
    await ledger.accept(submission(numbers=list(range(NUMBER + 70, NUMBER + 75)), traffic_class=OTP, at=LATER + 1))
    again = {"request_id": "r-60", "fingerprint": b"other", "text": "the same request id, another body"}
    await ledger.accept(submission(numbers=[NUMBER + 60], tenant_id=2, due_at=MUCH_LATER, **again))


async def everything(ledger: Ledger) -> dict[str, Any]:
    """Read all that the port gives of a ledger."""
    read: dict[str, Any] = {
        "tenants": await ledger.tenants(),
        "keys": await ledger.keys(),
        "senders": await ledger.senders(),
        "channels": await ledger.channels(),
        "templates": await ledger.templates(),
        "grants": await ledger.grants(),
        "routes": await ledger.routes(),
        "users": await ledger.users(),
        "audit": [await ledger.audit(None, 100), await ledger.check_audit()],
        "endpoints": await ledger.endpoints(),
        "orphans": await ledger.orphans(),
        "depths": sorted(await ledger.depths(), key=lambda row: (row["channel_id"], row["class"])),
        "callback due": await ledger.next_callback_due(),
        "due": [await ledger.next_due(channel, EPOCH) for channel in (1, 2)],
    }
    for tenant in read["tenants"]:
        for batch in await ledger.batches(tenant.id, None, 10):
            chunks = [await ledger.batch_rows(batch, row) for row in range(4)]
            read[f"batch {batch.id}"] = [batch, chunks, await ledger.batch_parts(batch, -1, 10)]
        read[f"events {tenant.id}"] = await ledger.events(tenant.id, 0, 10_000)
        read[f"unknown {tenant.id}"] = await ledger.unknown_by_channel(tenant.id)
        read[f"warnings {tenant.id}"] = await ledger.warnings(tenant.id, 1_000)
        rows = await ledger.messages(tenant.id, MessageFilter(), None, 10_000)
        read[f"messages {tenant.id}"] = rows
        for row in rows:
            read[f"timeline {row['id']}"] = await ledger.timeline(tenant.id, row["id"])
            found = await ledger.submission(tenant.id, row["referent_id"])
            assert found is not None
            read[f"submission {row['referent_id']}"] = found
            read[f"token {found['token']}"] = await ledger.submission_by_token(found["token"])
    return read


async def fill_batches(ledger: Ledger, tenant_id: int) -> None:
    """Leave a batch with rows, marks and a part."""
    new = NewBatch(tenant_id, "Tết", "mai", ("số", "tên"), True, EPOCH)
    batch = await ledger.add_batch(new)
    await ledger.add_batch_rows(batch, 0, [("0912345678", "Lan"), ("x", "An \0")])
    await ledger.add_batch_rows(batch, 2, [("0912345679", "Mai")])
    await ledger.end_loading(batch.id, 3)
    plan = BatchPlan(0, Source(value="Chào {tên}"), Source(value="LOA"), Source(value="transactional"))
    await ledger.set_batch_plan(batch.id, as_json(plan))
    await ledger.claim_batch(batch.id, "here", EPOCH, EPOCH + MINUTE)
    await ledger.note_checked(
        batch.id, "here", BatchNote(0, 2, {1: Finding("destination", "x")}, {"good": 1}, {"x": 1})
    )
    await ledger.note_checked(batch.id, "here", BatchNote(2, 1, {}, {"good": 1}, {}))
    await ledger.start_batch(batch.id, 7, EPOCH, EPOCH)
    await ledger.claim_batch(batch.id, "here", EPOCH, EPOCH + MINUTE)
    await ledger.begin_slice(batch.id, "here", 2, EPOCH, EPOCH + MINUTE)
    await ledger.record_slice(batch.id, BatchPart(0, 2, EPOCH, [("sub_1", (0,))], counts={"sent": 1}))
    await ledger.begin_slice(batch.id, "here", 3, EPOCH, EPOCH + MINUTE)


async def fill_users(ledger: Ledger) -> None:
    """Put something into each table that users of the console need."""
    await ledger.add_link(Link("first", Purpose.FIRST_RUN, None, EPOCH + MINUTE), EPOCH)
    await ledger.enrol("first", "mai", Credentials("$argon2id$", "SEED", 7, ("code-1", "code-2")), EPOCH)
    await ledger.begin_sign_in(SignIn("id", 1, EPOCH, EPOCH, EPOCH + MINUTE, "::1", "Firefox \0"))
    await ledger.add_link(
        Link("next", Purpose.SET_UP, (await ledger.add_user("an", Role.AUDITOR, EPOCH)).id, MUCH_LATER), EPOCH
    )
    await ledger.take_try(["user:mai"], EPOCH, [0])
    for verb in ("sign-in", "users.add"):
        await ledger.add_deed(Deed(EPOCH, 1, "mai", verb, "an", {}, {"role": "auditor"}, "::1"))
