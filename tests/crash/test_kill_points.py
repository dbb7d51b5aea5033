"""SIGKILL at every named point of a message's way, then restart, then the invariants.

F-numbers are those of the fault catalogue in docs/explain/reliability.md.
"""

from pathlib import Path

import pytest

from loa.certify.client import LONG_TEXT, OTP, TRANSACTIONAL
from loa.certify.kills import NEVER_REPORTED
from loa.certify.world import NO_RECEIPTS_YET, World
from loa.ports.probe import Point
from loa.simulators.pick import Pick
from loa.simulators.smsc.script import Refusal, Script
from loa.smpp.status import ESME_RINVDSTADR

pytestmark = [pytest.mark.crash, pytest.mark.timeout(60)]

LONG_WAIT = {"OTP__EVIDENCE_WAIT_S": "600", "TRANSACTIONAL__EVIDENCE_WAIT_S": "600"}


async def test_f01_killed_before_the_transaction_nothing_is_stored_and_a_retry_gives_one_message(world: World) -> None:
    asks = [world.client.ask(OTP), world.client.ask(TRANSACTIONAL, 3)]
    await world.boot(Point.INTAKE_PARSED)
    assert await world.send(asks) == [0, 0]
    await world.killed()
    await world.boot()
    assert await world.messages() == []
    await world.retry()
    assert [ask.statuses for ask in asks] == [[0, 201], [0, 201]]
    found = await world.verdict()
    assert [found.submitted(ask) for ask in asks] == [[1], [1, 1, 1]]


async def test_f02_killed_inside_the_transaction_none_of_its_messages_exist(world: World) -> None:
    asks = [world.client.ask(TRANSACTIONAL, 200), world.client.ask(OTP)]
    await world.boot(Point.LEDGER_IN_ACCEPT)
    assert await world.send(asks) == [0, 0]
    await world.killed()
    await world.boot()
    assert await world.messages() == []
    await world.retry()
    found = await world.verdict()
    assert len(found.messages) == 201
    assert found.submitted(asks[0]) == [1] * 200


async def test_f03_killed_between_commit_and_answer_a_retry_gets_the_same_token(world: World) -> None:
    asks = [world.client.ask(TRANSACTIONAL, 3)]
    await world.boot(Point.INTAKE_COMMITTED)
    assert await world.send(asks) == [0]
    await world.killed()
    await world.boot()
    rows = await world.messages()
    assert sorted(row["destination"] for row in rows) == asks[0].numbers
    await world.retry()
    await world.send(asks)
    assert asks[0].statuses == [0, 200, 200]
    first, second = asks[0].replies
    assert (first["referentId"], first["data"]) == (second["referentId"], second["data"])
    assert {row["referentId"] for row in rows} == {first["referentId"]}
    status = await world.client.get(f"status/{first['data']['token']}")
    assert status["messageCount"] == 3
    found = await world.verdict()
    assert found.submitted(asks[0]) == [1, 1, 1]


async def test_f04_killed_after_the_claim_codes_are_not_sent_and_notices_once_more_flagged(world: World) -> None:
    otp, notice, offer = asks = world.client.asks_of_each_class()
    await world.crash(Point.DISPATCH_CLAIMED, asks)
    await world.boot()
    found = await world.verdict()
    assert [found.submitted(ask) for ask in asks] == [[0], [1, 1], [0]]
    assert [found.outcomes(ask) for ask in asks] == [["unknown"], ["unknown", "accepted"], ["unknown"]]
    assert [found.message(ask)["state"] for ask in asks] == ["unknown", "delivered", "unknown"]
    assert [found.message(ask)["possibleDuplicate"] for ask in asks] == [False, True, False]
    assert [len(found.deliveries(ask, "unknown")) for ask in (otp, offer)] == [1, 1]
    assert found.deliveries(notice, "delivered")[0]["body"]["possibleDuplicate"] is True


@pytest.mark.parametrize(("kind", "times", "state"), [(OTP, 0, "unknown"), (TRANSACTIONAL, 1, "delivered")])
async def test_f05_killed_in_the_middle_of_a_pdu_the_smsc_got_nothing_of_it(
    world: World, kind: int, times: int, state: str
) -> None:
    ask = world.client.ask(kind)
    await world.crash(Point.LINK_HALF_WRITTEN, [ask])
    assert world.smsc.counts.submits == 0
    await world.boot()
    found = await world.verdict()
    assert (found.submitted(ask), found.message(ask)["state"]) == ([times], state)
    assert found.message(ask)["possibleDuplicate"] is (kind == TRANSACTIONAL)


async def test_f06_killed_before_the_answer_and_never_told_more_only_notices_are_sent_again(world: World) -> None:
    otp, notice, offer = asks = world.client.asks_of_each_class()
    long_one = world.client.ask(TRANSACTIONAL, text=LONG_TEXT)
    await world.crash(Point.LINK_WRITTEN, [*asks, long_one], NEVER_REPORTED)
    await world.smsc.until(lambda counts: counts.accepted == 7)
    # The second hand-over is reported, so that everything comes to an end.
    world.smsc.change(Script())
    await world.boot()
    found = await world.verdict()
    assert [found.submitted(ask) for ask in (*asks, long_one)] == [[1], [2, 2], [1], [6]]
    assert [found.message(ask)["state"] for ask in (otp, notice, offer)] == ["unknown", "delivered", "unknown"]
    assert found.message(long_one)["possibleDuplicate"] is True


async def test_f06_killed_before_the_answer_a_receipt_settles_what_was_lost_and_nothing_is_sent_twice(
    world: World,
) -> None:
    asks = [world.client.ask(OTP), world.client.ask(TRANSACTIONAL, 2)]
    await world.crash(Point.LINK_WRITTEN, asks, settings=LONG_WAIT)
    await world.boot(settings=LONG_WAIT)
    found = await world.verdict()
    assert [found.submitted(ask) for ask in asks] == [[1], [1, 1]]
    assert {row["state"] for row in found.messages} == {"delivered"}
    assert not any(row["possibleDuplicate"] for row in found.messages)


async def test_f07_killed_with_the_answers_in_memory_a_late_receipt_upgrades_a_code_given_up(world: World) -> None:
    otp, notice, offer = asks = world.client.asks_of_each_class()
    await world.crash(Point.DISPATCH_ANSWERED, asks, NO_RECEIPTS_YET)
    await world.boot()
    await world.until_state([otp, offer], "unknown")
    await world.smsc.until(lambda counts: counts.accepted == 6)
    assert (await world.states())[otp.numbers[0]] == "unknown"
    world.smsc.change(Script())
    await world.until_state(asks, "delivered")
    found = await world.verdict()
    assert [found.submitted(ask) for ask in asks] == [[1], [2, 2], [1]]
    assert [event["state"] for event in found.message(otp)["events"]] == ["unknown", "delivered"]
    assert found.message(notice)["possibleDuplicate"] is True


async def test_f08_killed_after_the_outcome_is_on_disk_its_callback_still_goes_out(world: World) -> None:
    refused, sent = world.client.ask(TRANSACTIONAL), world.client.ask(OTP)
    picky = Script(refuse=(Refusal(Pick(destination=refused.numbers[0]), ESME_RINVDSTADR),))
    await world.crash(Point.DISPATCH_RECORDED, [refused, sent], picky)
    assert list(world.receiver.deliveries) == []
    await world.boot()
    assert (await world.states())[refused.numbers[0]] == "rejected"
    found = await world.verdict()
    assert [found.submitted(ask) for ask in (refused, sent)] == [[0], [1]]
    assert found.deliveries(refused, "rejected")[0]["body"]["error"] == "ESME_RINVDSTADR"
    assert found.message(sent)["state"] == "delivered"


async def test_f09_killed_before_a_receipt_is_on_disk_it_comes_again_and_counts_once(world: World) -> None:
    ask = world.client.ask(OTP)
    await world.crash(Point.RECEIPT_READ, [ask])
    assert world.smsc.counts.receipts_acked == 0
    await world.boot()
    found = await world.verdict()
    assert world.smsc.counts.receipts_sent >= 2
    assert [(stat, result, repeats) for _, stat, result, repeats in found.receipts] == [("DELIVRD", "applied", 0)]
    assert len(found.deliveries(ask, "delivered")) == 1


async def test_f10_killed_before_a_receipt_is_acknowledged_its_repeat_is_counted_and_changes_nothing(
    world: World,
) -> None:
    ask = world.client.ask(OTP)
    await world.crash(Point.RECEIPT_STORED, [ask])
    assert world.smsc.counts.receipts_acked == 0
    await world.boot()
    found = await world.verdict()
    assert [(stat, result, repeats) for _, stat, result, repeats in found.receipts] == [("DELIVRD", "applied", 1)]
    assert found.message(ask)["receipts"][0]["repeats"] == 1
    assert len({callback["id"] for callback in found.callbacks}) == 1


async def test_f11_killed_before_a_callback_is_on_record_it_is_told_again_under_the_same_id(world: World) -> None:
    asks = world.client.asks_of_each_class()
    await world.crash(Point.CALLBACK_POSTED, asks)
    await world.boot()
    found = await world.verdict()
    repeated = [ask for ask in asks if len(found.deliveries(ask, "delivered")) > len(ask.numbers)]
    assert repeated
    assert len({callback["id"] for callback in found.callbacks}) == 4 < len(found.callbacks)


SOURCES = (Path(__file__).name, "test_batches.py", "test_grants.py", "test_two_steps.py")


def test_every_point_has_its_test() -> None:
    folder = Path(__file__).parent
    source = "".join((folder / name).read_text(encoding="utf-8") for name in SOURCES)
    assert [
        point for point in Point if not any(f"Point.{point.name}{after}" in source for after in (",", ")", "]"))
    ] == []
