"""Receipts as the ledger gets them, and the short way to them held against the full one."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loa.channels.smpp.express import DELIVER_SM, SUBMIT_SM_RESP, read_answer, read_receipt
from loa.channels.smpp.known import KEPT, KnownRefs
from loa.channels.smpp.receipts import destination_of, to_receipt
from loa.channels.smpp.states import STATES
from loa.domain.lifecycle import State
from loa.domain.receipt import Receipt
from loa.smpp import pdu as p
from loa.smpp import tlv
from loa.smpp.codec import decode, encode
from loa.smpp.receipt import read
from loa.smpp.refs import MODES

USUAL = "id:{ref} sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:{stat} err:{err} text:{text}"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("84912345678", 84912345678),
        ("+84912345678", 84912345678),
        ("0084912345678", 84912345678),
        ("0912345678", 84912345678),
        ("", 0),
        ("LOA", 0),
        ("0", 0),
        ("٣", 0),
        ("9" * 21, 0),
    ],
)
def test_the_number_of_a_receipt_is_read_in_its_forms(written, number):
    assert destination_of(written) == number


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (0, None),
        (1, None),
        (2, State.DELIVERED),
        (3, State.EXPIRED),
        (4, State.UNDELIVERED),
        (5, State.UNDELIVERED),
        (6, None),
        (7, None),
        (8, State.REJECTED),
        (9, None),
        (77, None),
    ],
)
def test_a_message_state_proves_only_what_it_says(number, state):
    assert STATES.get(number) is state


def test_a_receipt_that_names_no_message_gives_nothing():
    found = read(p.DeliverSm(esm_class=4, short_message=b"stat:DELIVRD"))
    assert to_receipt(found, "84912345678", 7, KnownRefs("auto"), 5) is None


def test_a_receipt_that_names_its_message_twice_offers_both_spellings():
    message = p.DeliverSm(
        esm_class=4,
        short_message=USUAL.format(ref="77", stat="DELIVRD", err="000", text="").encode(),
        tlvs=((tlv.RECEIPTED_MESSAGE_ID, b"AB\0"),),
    )
    found = to_receipt(read(message), "84912345678", 7, KnownRefs("same"), 5)
    assert found.refs == ("ab", "77")


def test_a_reference_lately_given_for_the_number_stands_alone():
    known = KnownRefs("auto")
    assert known.take("00AB12", 84912345678) == "ab12"
    assert known.forms("AB12", 84912345678) == ("ab12",)
    assert known.forms("AB12", 84900000000) == ("ab12", "43794")
    assert known.forms("31", 84912345678) == ("31", "1f", "49")


def test_a_spelling_lately_given_for_the_number_goes_before_the_one_received():
    known = KnownRefs("auto")
    known.take("1F", 84912345678)
    known.take("31", 84900000000)
    assert known.forms("31", 84912345678)[0] == "1f"
    assert known.forms("31", 84900000000) == ("31",)


def test_what_is_known_is_bounded_and_the_oldest_is_forgotten_first():
    known = KnownRefs("auto")
    for number in range(2 * KEPT + 1):
        known.take(f"x{number}", 1)
    assert len(known._young) + len(known._old) <= 2 * KEPT
    assert known._belongs(f"x{2 * KEPT}", 1)
    assert known._belongs(f"x{KEPT + 1}", 1)
    assert not known._belongs("x1", 1)


def full_way(frame, known):
    """Read a receipt as the session and the reader do."""
    message = decode(frame)
    found = read(message, allow_unflagged=True)
    return None if found is None else to_receipt(found, message.source, 7, known, 5)


def short_way(frame, known):
    found = read_receipt(frame)
    if found is None:
        return None
    _, text, state, stat, ref, error, source = found
    destination = destination_of(source)
    return Receipt(7, known.forms(ref, destination), state, stat, destination, error, text, 5)


WORDS = st.sampled_from(["DELIVRD", "UNDELIV", "EXPIRED", "REJECTD", "DELETED", "ACCEPTD", "ENROUTE", "UNKNOWN", "FOO"])
PLAIN_REFS = st.from_regex(re.compile(r"[0-9A-Za-z-]{1,64}"), fullmatch=True)
REFS = st.from_regex(re.compile(r"[0-9A-Za-z!-~]{1,64}"), fullmatch=True) | st.integers(0, 2**70).map(str)
TEXTS = st.builds(
    lambda ref, stat, err, text: USUAL.format(ref=ref, stat=stat, err=err, text=text),
    REFS,
    WORDS,
    st.from_regex(re.compile(r"\w{0,3}", re.ASCII), fullmatch=True),
    st.text(st.characters(max_codepoint=255), max_size=20),
).map(lambda text: text.encode("latin-1")[:255])
MESSAGES = st.builds(
    p.DeliverSm,
    sequence=st.integers(0, 2**32 - 1),
    service_type=st.sampled_from(["", "CMT"]),
    source_ton=st.integers(0, 255),
    source=st.sampled_from(["84912345678", "0912345678", "", "LOA", "008491"]),
    destination=st.sampled_from(["LOA", "", "5656"]),
    esm_class=st.sampled_from([4, 4, 4, 0, 0x44, 0x20]),
    priority=st.integers(0, 255),
    validity=st.sampled_from(["", "", "000000000500000R"]),
    data_coding=st.sampled_from([0, 3, 8, 0xF0]),
    short_message=TEXTS | st.binary(max_size=60),
    tlvs=st.sampled_from([(), (), ((tlv.RECEIPTED_MESSAGE_ID, b"zz\0"),), ((tlv.MESSAGE_STATE, b"\x05"),)]),
)


@given(MESSAGES, st.sampled_from(MODES), st.binary(max_size=3))
@example(
    p.DeliverSm(esm_class=4, source="1", short_message=b"id:1 sub: dlvrd: submit date: done date: stat:DELIVRD err:"),
    "auto",
    b"",
)
def test_a_receipt_read_in_one_pass_is_the_one_that_the_full_way_gives(message, mode, stray):
    frame = encode(message) + stray
    short = short_way(frame, KnownRefs(mode))
    if short is not None:
        assert short == full_way(frame, KnownRefs(mode))
        assert read_receipt(frame)[0] == message.sequence
        assert frame[4:8] == DELIVER_SM


@given(PLAIN_REFS, WORDS.filter(lambda word: word != "FOO"), st.sampled_from(["84912345678", "0912345678"]))
def test_the_usual_receipt_takes_the_short_way(ref, stat, source):
    text = USUAL.format(ref=ref, stat=stat, err="000", text="hello").encode()
    frame = encode(p.DeliverSm(sequence=9, esm_class=4, source=source, destination="LOA", short_message=text))
    assert read_receipt(frame) is not None


@given(st.binary(max_size=300))
def test_the_short_ways_survive_any_octets(octets):
    frame = (16 + len(octets)).to_bytes(4, "big") + DELIVER_SM + bytes(8) + octets
    read_receipt(frame)
    read_answer(frame)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=64),
    st.booleans(),
)
def test_an_answer_read_in_one_pass_is_the_one_that_the_full_way_gives(sequence, status, ref, with_parameter):
    tlvs = ((tlv.CONGESTION_STATE, b"\x05"),) if with_parameter else ()
    frame = encode(p.SubmitSmResp(sequence, status, ref, tlvs))
    assert frame[4:8] == SUBMIT_SM_RESP
    answer = read_answer(frame)
    if answer is not None:
        full = decode(frame)
        assert answer == (full.sequence, full.status, full.message_id)
        assert not full.tlvs
    else:
        assert tlvs or (status and not ref)
