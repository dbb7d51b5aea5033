"""Lists as files, the search field, what waits for a person, and everything that is known of one message."""

import csv
import io
import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from tests.contract.ledger.values import NUMBER, claim, receipt, settlement, submission
from tests.support.console import visitor
from tests.support.full_ledger import MUCH_LATER
from tests.support.native_api import call
from tests.unit.console.test_message_acts import FIRST, accept, deeds, lost
from tests.unit.console.test_screens import Room, filled, room, text

from loa.console.export import COLUMNS, MARK, PAGE, cell
from loa.console.retold import receipt_fields
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.domain.roles import Role
from loa.ports.records import MessageFilter
from loa.smpp.codec import decode
from loa.smpp.pdu import SubmitSm

__all__ = ["filled", "room"]

ENGLISH = {"accept-language": "en"}
RECEIPT = b"id:A1 sub:001 dlvrd:000 submit date:2611261200 done date:2611261201 stat:UNDELIV err:027 text:secret words"


async def exported(room: Room, query: str = "", form: str = "format=csv") -> str:
    target = f"/console/messages/export?{query}"
    answer = await call(room.desk.app(), "POST", target, {}, form.encode(), stays=True)
    assert answer.status == 200
    return answer.body.decode()


async def test_a_csv_file_holds_every_message_and_no_formula(room: Room) -> None:
    wanted = await accept(room, PAGE + 7, sender="=1+1")
    read = list(csv.DictReader(io.StringIO(await exported(room, f"sender={quote('=1+1')}"))))
    assert [row["message_id"] for row in read] == wanted
    assert tuple(read[0]) == COLUMNS
    assert (read[-1]["sender"], read[-1]["destination"], read[-1]["state"]) == ("'=1+1", str(FIRST), "queued")
    assert re.fullmatch(r"2026-11-\d\dT\d\d:\d\d:\d\d\.\d{3}\+07:00", read[0]["accepted_at"])
    assert read[0]["dead"] == "false"


@pytest.mark.parametrize(
    ("value", "written"),
    [("=1", "'=1"), ("+84", "'+84"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("a=1", "a=1"), (84912, "84912")],
)
def test_what_a_spreadsheet_takes_for_a_formula_is_text(value: object, written: str) -> None:
    assert cell(value) == written


async def test_lines_follow_the_standard_and_begin_with_the_mark_that_was_asked_for(room: Room) -> None:
    await accept(room, 1, sender='a "b", c\nd')
    whole = await exported(room, "", "format=csv&mark=1")
    assert whole.startswith(MARK + "message_id,")
    assert '"a ""b"", c\nd"' in whole
    assert whole.endswith("\r\n")


async def test_json_lines_hold_the_same(room: Room) -> None:
    (public,) = await accept(room)
    (line,) = (await exported(room, "sender=MINE", "format=jsonl")).splitlines()
    assert json.loads(line) == {
        **dict.fromkeys(COLUMNS),
        **json.loads(line),
        "message_id": public,
        "destination": str(FIRST),
        "dead": False,
        "segments": 1,
    }


async def test_a_file_is_masked_as_pages_are_and_stands_in_the_audit_log(room: Room) -> None:
    await accept(room)
    room.desk.visitor = visitor(Role.ANALYST)
    whole = await exported(room, f"sender=MINE&destination={FIRST}")
    assert str(FIRST) not in whole
    assert "84•••••••00" in whole
    (deed,) = await deeds(room, "messages.export")
    assert deed.subject == "acme"
    assert deed.after == {
        "format": "csv",
        "whole_numbers": False,
        "filter": {"sender": "MINE", "destination": "84•••••••00"},
    }


async def test_a_filter_that_cannot_be_read_is_no_file(room: Room) -> None:
    for query, form in (("destination=abc", "format=csv"), ("", "format=xls")):
        assert (await room.post(f"/console/messages/export?{query}", form.encode())).status == 404
    assert await deeds(room, "messages.export") == []


async def test_a_list_is_shown_as_a_command(room: Room) -> None:
    await lost(room)
    page = text(await room.get("/console/messages?state=unknown&sender=MINE&request_id="))
    assert "loa messages list --state unknown --sender MINE</pre>" in page


async def led_to(room: Room, asked: str) -> str:
    answer = await room.get(f"/console/search?q={quote(asked)}")
    assert answer.status == 303, text(answer)
    return answer.headers["location"]


async def test_a_search_leads_from_whatever_is_at_hand_to_the_message(room: Room) -> None:
    (public,) = await accept(room, request_id="order-7")
    (attempt,) = [each for each in await claim(room.desk.ledger, MUCH_LATER) if each.sender == "MINE"]
    await room.desk.ledger.record([settlement(attempt, Accepted(("00AB12",)), MUCH_LATER)])
    found = await room.desk.ledger.submission(1, attempt.referent_id)
    assert found is not None
    place = f"/console/messages/{public}"
    for asked in (public, attempt.referent_id, found["token"], "ab12", "order-7", f"  {public} "):
        assert await led_to(room, asked) == place, asked
    for asked in ("0912 000 000", "+84912000000"):
        assert (await led_to(room, asked)).startswith("/console/messages?destination=")


async def test_a_search_leads_to_all_where_there_are_several(room: Room) -> None:
    await accept(room, 3, request_id="order-8")
    assert await led_to(room, "order-8") == "/console/messages?request_id=order-8"
    rows = await room.desk.ledger.messages(1, MessageFilter(sender="MINE"), None, 3)
    referent_id = rows[0]["referent_id"]
    place = await led_to(room, referent_id)
    assert place == f"/console/submissions/{referent_id}"
    assert len(re.findall(r'<tr id="msg_', text(await room.get(place)))) == 3


@pytest.mark.parametrize("asked", ["nothing of the kind", "msg_ZZZZ", "sub_01", "<script>1", "x" * 500])
async def test_a_search_that_finds_nothing_says_what_can_be_looked_for(room: Room, asked: str) -> None:
    answer = await room.get(f"/console/search?q={quote(asked)}", **ENGLISH)
    assert answer.status == 404
    assert "What can be looked for" in text(answer)
    assert "<script>1" not in text(answer)


async def test_another_tenants_token_leads_nowhere(room: Room) -> None:
    (theirs, *_) = await room.desk.ledger.messages(2, MessageFilter(), None, 1)
    found = await room.desk.ledger.submission(2, theirs["referent_id"])
    assert found is not None
    for asked in (found["token"], message_public_id(theirs["id"]), theirs["referent_id"]):
        assert (await room.get(f"/console/search?q={asked}")).status == 404


async def test_what_waits_for_a_person_says_what_is_known_and_what_follows(room: Room) -> None:
    (public,) = await lost(room)
    page = text(await room.get("/console/unknown", **ENGLISH))
    assert public in page
    assert "silence" in page
    assert "Waits 1 min more" in page
    assert "then stays unknown, never sent again" in page
    assert "Receipts without a message" in page
    other = text(await room.get("/console/unknown?channel=spare", **ENGLISH))
    assert public not in other
    assert "Unknown messages over spare" in other


async def test_endpoints_that_were_switched_off_are_named(room: Room) -> None:
    await room.desk.ledger.set_endpoint_health(1, MUCH_LATER, MUCH_LATER, "the endpoint answered 410 Gone")
    page = text(await room.get("/console/unknown", **ENGLISH))
    assert "https://1.example/" in page
    assert "the endpoint answered 410 Gone" in page


async def test_numbers_of_what_waits_are_masked_like_all_others(room: Room) -> None:
    await lost(room)
    room.desk.visitor = visitor(Role.ANALYST)
    assert str(FIRST) not in text(await room.get("/console/unknown"))


@pytest.fixture
async def over_smpp(room: Room) -> str:
    """A message of two segments that went over SMPP, with a receipt that came twice and one that contradicts it."""
    ledger = room.desk.ledger
    await ledger.change_channel("viettel", settings={"host": "h.example", "system_id": "loa", "password": "s3cret"})
    channel = next(each.id for each in await ledger.channels() if each.name == "viettel")
    new = submission(
        numbers=[NUMBER],
        sender="MINE",
        text="secret words " * 15,
        encoding="gsm7",
        segment_count=2,
        plan=(channel,),
        at=MUCH_LATER,
        endpoint_id=1,
        ext={"metadata": {"order": 7}},
    )
    await ledger.accept(new)
    (attempt,) = await claim(ledger, MUCH_LATER, channel=channel)
    await ledger.record([settlement(attempt, Accepted(("A1", "A2")), MUCH_LATER + 5)])
    given: dict[str, Any] = {"channel_id": channel, "raw": RECEIPT, "stat": "UNDELIV", "received_at": MUCH_LATER + 9}
    told = receipt("A1", state=State.UNDELIVERED, detail="027", **given)
    await ledger.store([told])
    await ledger.store([told])
    await ledger.store([receipt("A1", channel_id=channel, received_at=MUCH_LATER + 10)])
    return message_public_id(attempt.message_id)


async def test_what_was_sent_is_shown_decoded_behind_the_audited_look(room: Room, over_smpp: str) -> None:
    hidden = text(await room.get(f"/console/messages/{over_smpp}", **ENGLISH))
    assert "Show the content to see the PDU" in hidden
    assert "secret words" not in hidden
    shown = text(await room.post(f"/console/messages/{over_smpp}/content"))
    assert room.desk.looks == [over_smpp]
    assert shown.count("submit_sm") == 2
    assert "s3cret" not in shown
    rows = re.findall(r"^(?:<pre[^>]*>)?([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)", shown, re.MULTILINE)
    octets = bytes.fromhex("".join(row[1] for row in rows))
    first = decode(octets[: int.from_bytes(octets[:4], "big")])
    assert isinstance(first, SubmitSm)
    assert (first.destination, first.source) == (str(NUMBER), "MINE")


async def test_receipts_are_read_field_by_field_and_marked(room: Room, over_smpp: str) -> None:
    page = text(await room.get(f"/console/messages/{over_smpp}", **ENGLISH))
    assert "2611261201" in page
    assert "027" in page
    assert "repeated 1 times" in page
    assert "conflict" in page
    assert "secret words" not in page
    shown = text(await room.post(f"/console/messages/{over_smpp}/content"))
    assert RECEIPT.decode() in shown


async def test_callbacks_show_their_tries_and_body(room: Room, over_smpp: str) -> None:
    page = text(await room.get(f"/console/messages/{over_smpp}", **ENGLISH))
    assert f"&#34;messageId&#34;: &#34;{over_smpp}&#34;" in page
    assert f"&#34;msisdn&#34;: &#34;{NUMBER}&#34;" in page
    assert "&#34;order&#34;: 7" in page
    room.desk.visitor = visitor(Role.ANALYST)
    page = text(await room.get(f"/console/messages/{over_smpp}", **ENGLISH))
    assert str(NUMBER) not in page
    assert "&#34;order&#34;" not in page
    assert "destination=" not in page


async def test_what_belongs_together_is_one_step_away(room: Room, over_smpp: str) -> None:
    page = text(await room.get(f"/console/messages/{over_smpp}"))
    assert f"/console/messages?destination={NUMBER}" in page
    assert "/console/submissions/sub_" in page
    assert f"loa messages show {over_smpp}" in page
    assert f"/api/v1/messages/{over_smpp}" in page


def test_a_receipt_of_any_kind_is_read_and_tells_nothing_it_should_not() -> None:
    told = dict(receipt_fields(RECEIPT.hex(), whole=False))
    assert told == {
        "sub": "001",
        "delivered": "000",
        "submitted": "2611261200",
        "done": "2611261201",
        "error": "027",
    }
    assert dict(receipt_fields(RECEIPT.hex(), whole=True))["text"] == "secret words"
    report = json.dumps({"msisdn": "84912", "status": 2, "more": {"a": 1}}).encode().hex()
    assert receipt_fields(report, whole=False) == []
    assert receipt_fields(report, whole=True) == [("msisdn", "84912"), ("status", "2"), ("more", '{"a": 1}')]
    assert receipt_fields(b"\x00\xff[1]".hex(), whole=True) == []
