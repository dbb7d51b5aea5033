"""Reading of receipts in the spellings that SMSCs use, and of those that stop other clients."""

from datetime import UTC, datetime

import pytest

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp import receipt
from loa.smpp.receipt import ReceiptText

MINUTE = datetime(2026, 11, 23, 1, 2, tzinfo=UTC).replace(tzinfo=None)
USUAL = b"id:0123456789 sub:001 dlvrd:001 submit date:2611230101 done date:2611230102 stat:DELIVRD err:000 text:Xin"


def read(text: bytes, **fields: object) -> ReceiptText:
    found = receipt.read(p.DeliverSm(esm_class=4, short_message=text, **fields))  # type: ignore[arg-type]
    assert found is not None
    assert found.raw == text
    return found


def test_the_usual_receipt_is_read_whole():
    assert read(USUAL) == ReceiptText(
        raw=USUAL,
        refs=("0123456789",),
        state=c.STATE_DELIVERED,
        stat="DELIVRD",
        error="000",
        submitted="2611230101",
        done="2611230102",
        sub="001",
        delivered="001",
        text="Xin",
    )


@pytest.mark.parametrize(
    ("text", "ref", "state", "error", "done"),
    [
        # twelve-digit dates, an empty date, letters and hexadecimal in err
        (b"id:1 sub:001 dlvrd:001 submit date:261123010159 done date:261123010259 stat:DELIVRD err:000 text:", "1", 2, "000", "261123010259"),
        (b"id:2 sub:001 dlvrd:000 submit date: done date: stat:UNDELIV err:0A1 text:x", "2", 5, "0A1", ""),
        (b"id:3 sub:001 dlvrd:000 submit date:2611230101 done date:2611230102 stat:REJECTD err:BLOCKED text:", "3", 8, "BLOCKED", "2611230102"),
        (b"id:3 sub:001 dlvrd:000 submit date:2611230101 done date:2611230102 stat:EXPIRED err: text:", "3", 3, "", "2611230102"),
        (b"id:rdw sub:000 dlvrd:000 submit date:180711070003912+ done date:180711070000012+ stat:UNDELIV err:000", "rdw", 5, "000", "180711070000012+"),
        # fields left out, another order, other case, other separators
        (b"id:1526758174 submit date:1701240904 done date:1701240904 stat:DELIVRD err:000 text:hellow", "1526758174", 2, "000", "1701240904"),
        (b"stat:DELIVRD id:9", "9", 2, "", ""),
        (b"ID:9 STAT:delivrd ERR:1 Text:a", "9", 2, "1", ""),
        (b"id:9, sub:001, dlvrd:001, submit date:2611230101, done date:2611230102, stat:DELIVRD, err:000, text:", "9", 2, "000", "2611230102"),
        (b"id:9,stat:DELIVERED,err:000,done date:2611230102", "9", 2, "000", "2611230102"),
        (b"id: 9 stat: UNDELIVERABLE err: 0", "9", 5, "0", ""),
        (b"id:9\r\nstat:ACCEPTD\r\nerr:0\r\n", "9", 6, "0", ""),
        (b"id:9 submit_date:2611230101 done_date:2611230102 status:ENROUTE error:7", "9", 1, "7", "2611230102"),
        (b"id=9;stat=EXPIRED;err=2", "9", 3, "2", ""),
        (b"  id:9 stat:DELIVRD\0\0", "9", 2, "", ""),
        (b"id:9 stat:D err:5", "9", None, "5", ""),
        (b"id:9 stat:5 err:5", "9", 5, "5", ""),
        (b"id:9 stat:DELIVRD err:-1 text:", "9", 2, "-1", ""),
        # a text in front of the other fields, and one that looks like fields
        (b"text:id is hidden stat:DELIVRD id:9", "9", 2, "", ""),
        (b"id:9 stat:REJECTD text:your id:1 stat:DELIVRD err:2", "9", 8, "", ""),
        # lists without labels, or with labels as items
        (b"0199,DELIVRD,2611230101,2611230102,000", "0199", 2, "000", "2611230102"),
        (b"DELIVRD,abc-17", "abc-17", 2, "", ""),
        (b"id,77,sub,001,dlvrd,001,submit date,2611230101,done date,2611230102,stat,EXPIRED,err,4", "77", 3, "4", "2611230102"),
    ],
)  # fmt: skip
def test_a_receipt_is_read_field_by_field(text: bytes, ref: str, state: int | None, error: str, done: str):
    found = read(text)
    assert (found.ref, found.state, found.error, found.done) == (ref, state, error, done)


@pytest.mark.parametrize("text", [b"", b" ", b"\0", b"\xff\xfe\x80", b"hello", b"id:", b"stat", b",,;|", b"id,"])
def test_an_unreadable_receipt_is_still_a_receipt_with_its_octets(text: bytes):
    assert read(text) == ReceiptText(raw=text)


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("DELIVRD", 2),
        ("delivered", 2),
        ("DLVRD", 2),
        ("EXPIRED", 3),
        ("EXPIRD", 3),
        ("DELETED", 4),
        ("DELET", 4),
        ("UNDELIV", 5),
        ("UNDEL", 5),
        ("FAILED", 5),
        ("ACCEPTD", 6),
        ("ACCEPTED", 6),
        ("UNKNOWN", 7),
        ("UNKNOWN_SUBSCRIBER", 7),
        ("REJECTD", 8),
        ("REJ", 8),
        ("SKIPPED", 9),
        ("SCHEDULED", 0),
        ("ENROUTE", 1),
        ("BUFFERED", 1),
        ("8", 8),
        ("", None),
        ("DEL", None),
        ("UN", None),
        ("²", None),
        ("Thanh cong", None),
    ],
)
def test_a_stat_word_names_a_state_also_when_shortened(stat: str, state: int | None):
    assert receipt.state_of(stat) == state


def test_parameters_win_over_the_text_and_both_refs_are_kept():
    found = read(USUAL, tlvs=((0x001E, b"5B69F0\0"), (0x0427, b"\5"), (0x0423, b"\3\x01\x80")))
    assert found.refs == ("5B69F0", "0123456789")
    assert found.ref == "5B69F0"
    assert found.state == c.STATE_UNDELIVERABLE
    assert found.stat == "DELIVRD"
    assert found.network_error == (3, 0x180)


def test_the_same_ref_in_parameter_and_text_is_kept_once():
    assert read(USUAL, tlvs=((0x001E, b"0123456789"),)).refs == ("0123456789",)


def test_a_receipt_of_parameters_alone_is_read():
    found = read(b"", tlvs=((0x001E, b"77\0"), (0x0427, b"\2"), (0x1999, b"\x80")))
    assert (found.refs, found.state, found.stat) == (("77",), 2, "")


@pytest.mark.parametrize("tlvs", [((0x0427, b""),), ((0x0423, b""),), ((0x001E, b""),), ((0x0423, b"\3"),)])
def test_empty_and_short_parameters_leave_the_text_to_speak(tlvs: tuple[tuple[int, bytes], ...]):
    found = read(USUAL, tlvs=tlvs)
    assert (found.ref, found.state) == ("0123456789", 2)


def test_a_state_that_no_table_knows_stays_a_number():
    assert read(b"", tlvs=((0x0427, b"\x63"),)).state == 99


def test_a_receipt_in_message_payload_or_data_sm_is_read():
    assert receipt.read(p.DeliverSm(esm_class=4, tlvs=((0x0424, USUAL),))) == read(USUAL)
    assert receipt.read(p.DataSm(esm_class=4, tlvs=((0x0424, USUAL),))) == read(USUAL)


@pytest.mark.parametrize("coding", [0, 1, 3, 8, 0xF0, 0x11])
def test_an_ascii_receipt_is_read_under_any_data_coding(coding: int):
    assert read(USUAL, data_coding=coding).ref == "0123456789"


def test_a_receipt_in_ucs2_is_read():
    text = USUAL.decode().replace("Xin", "Mã").encode("utf-16-be")
    found = read(text, data_coding=8)
    assert (found.ref, found.text) == ("0123456789", "Mã")
    assert read(text[:-1], data_coding=8).ref == "0123456789"


def test_letters_that_only_fold_to_a_label_are_no_label():
    found = read("id:7 \u017ftat:DELIVRD \u017fub:1".encode("utf-16-be"), data_coding=8)
    assert (found.ref, found.stat) == ("7", "")


def test_a_header_before_the_receipt_is_skipped():
    assert read(b"\5\0\3\1\1\1" + USUAL, data_coding=0).ref == ""
    found = receipt.read(p.DeliverSm(esm_class=0x44, short_message=b"\5\0\3\1\1\1" + USUAL))
    assert found is not None
    assert found.ref == "0123456789"


def test_an_intermediate_notification_is_a_receipt():
    found = receipt.read(p.DeliverSm(esm_class=0x20, short_message=b"id:9 stat:ENROUTE"))
    assert found is not None
    assert found.state == c.STATE_ENROUTE


@pytest.mark.parametrize(
    ("text", "tlvs", "is_receipt"),
    [
        (USUAL, (), True),
        (b"stat:DELIVRD, id:9", (), True),
        (b"", ((0x001E, b"77\0"),), True),
        (b"", ((0x001E, b""),), False),
        (b"id:9", (), False),
        (b"stat:DELIVRD", (), False),
        (b"0199,DELIVRD", (), False),
        (b"STOP", (), False),
    ],
)
def test_without_the_flag_it_takes_the_channels_leave_and_a_ref_with_a_stat(
    text: bytes, tlvs: tuple[tuple[int, bytes], ...], is_receipt: bool
):
    message = p.DeliverSm(short_message=text, tlvs=tlvs)
    assert receipt.read(message) is None
    found = receipt.read(message, allow_unflagged=True)
    assert (found is not None) == is_receipt
    assert found is None or not found.flagged


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2611230102", MINUTE),
        ("261123010259", MINUTE.replace(second=59)),
        ("202611230102", MINUTE),
        ("20261123010259", MINUTE.replace(second=59)),
        ("", None),
        ("261123", None),
        ("2613230102", None),
        ("26112301๐2", None),
        ("NONE", None),
    ],
)
def test_a_date_is_read_without_a_time_zone(text: str, moment: datetime | None):
    assert receipt.read_date(text) == moment
