"""What is past its time goes, kind by kind, and nothing else does."""

from loa.ports.ledger import Ledger
from loa.ports.records import Repeat
from tests.contract.ledger.values import (
    DAY,
    EPOCH,
    MINUTE,
    NUMBER,
    OTP,
    keep,
    receipt,
    sent,
    state_of,
    submission,
    told,
)

LATER = EPOCH + 10 * DAY


async def _text(ledger: Ledger, referent_id: str) -> str:
    row = await ledger.submission(1, referent_id)
    assert row is not None
    return str(row["text"])


async def test_texts_of_codes_go_before_other_texts(ledger: Ledger) -> None:
    code = submission(traffic_class=OTP, expires_at=EPOCH + MINUTE)
    notice = submission(ext={"metadata": 1})
    await ledger.accept(code)
    await ledger.accept(notice)
    assert await ledger.purge(100, LATER, keep(content_otp=DAY)) == 1
    assert await _text(ledger, code.referent_id) == ""
    assert await _text(ledger, notice.referent_id) == notice.text
    assert await ledger.purge(100, LATER, keep(content_otp=DAY)) == 0


async def test_numbers_go_and_states_stay(ledger: Ledger) -> None:
    attempt = await sent(ledger, "A1")
    await ledger.store([receipt("A1")])
    assert await ledger.purge(100, LATER, keep(numbers=DAY)) == 1
    row = await ledger.message(1, attempt.message_id)
    assert row is not None
    assert (row["destination"], row["state"]) == (0, "delivered")
    assert await ledger.purge(100, LATER, keep(numbers=DAY)) == 0


async def test_whole_histories_go_with_everything_that_hangs_on_them(ledger: Ledger) -> None:
    endpoint = await ledger.add_endpoint(1, "https://a.example/", "whsec_x")
    old = await sent(ledger, "A1", endpoint_id=endpoint.id)
    await ledger.store([receipt("A1")])
    young = await sent(ledger, "B1", now=LATER - MINUTE, numbers=[NUMBER + 1])
    assert await ledger.purge(1_000, LATER, keep(history=DAY)) > 0
    assert await ledger.message(1, old.message_id) is None
    assert await told(ledger) == []
    assert await ledger.next_callback_due() is None
    assert await state_of(ledger, young.message_id) == "sent"
    assert (await ledger.store([receipt("B1", destination=NUMBER + 1)])).applied == 1


async def test_request_ids_are_forgotten_in_their_time(ledger: Ledger) -> None:
    await ledger.accept(submission(request_id="r", fingerprint=b"1"))
    assert await ledger.purge(100, EPOCH + DAY, keep(request_ids=2 * DAY)) == 0
    assert isinstance(await ledger.accept(submission(request_id="r", fingerprint=b"1")), Repeat)
    assert await ledger.purge(100, LATER, keep(request_ids=DAY)) == 1


async def test_raw_receipts_go_in_their_time(ledger: Ledger) -> None:
    attempt = await sent(ledger, "A1")
    await ledger.store([receipt("A1")])
    assert await ledger.purge(100, LATER, keep(receipts=DAY)) == 1
    timeline = await ledger.timeline(1, attempt.message_id)
    assert timeline is not None
    assert timeline["receipts"] == []
    assert timeline["state"] == "delivered"


async def test_warnings_go_with_the_history(ledger: Ledger) -> None:
    await ledger.accept(submission(request_id="r", fingerprint=b"1"))
    await ledger.accept(submission(request_id="r", fingerprint=b"2"))
    assert len(await ledger.warnings(1, 10)) == 1
    await ledger.purge(1_000, LATER, keep(history=DAY))
    assert await ledger.warnings(1, 10) == []
