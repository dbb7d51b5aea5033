"""What Zalo answers, and what becomes of the attempt."""

import json

import pytest
from tests.contract.channel.rig import attempt
from tests.support.fakes import EPOCH
from tests.support.zalo_payloads import WORLD, names, payload

from loa.channels.zalo import opening
from loa.channels.zalo import settings as own
from loa.channels.zalo.answers import Said, outcome_of, read_answer, refs_of, unanswered, whole
from loa.channels.zalo.codes import OFFICIAL, TEMPLATES, Meaning, Surface, meaning_of
from loa.channels.zalo.requests import Letter
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown
from loa.wire.wire import Answer

SETTINGS = own.read({name: WORLD[name] for name in ("app_id", "app_secret", "oa_id")})
NUMBER = Letter(Surface.NUMBER, "/message/template", b"", 1, "302117")
CONSULTATION = Letter(Surface.CONSULTATION, "/v3.0/oa/message/cs", b"")
USER = Letter(Surface.USER, "/v3.0/oa/message/template", b"", 1, "302117")
DAY = 86_400_000


def answered(body, status=200, **changes):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, excerpt=raw, written=True, **changes)


def judged(answer, letter=NUMBER, **message):
    one = attempt(1, **message)
    return outcome_of(read_answer(answer), one, letter, SETTINGS, ("msg_1-1",), EPOCH)


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("template-send", NUMBER),
        ("template-hashphone", NUMBER),
        ("template-uid", USER),
        ("oa-message", CONSULTATION),
    ],
)
def test_an_accepted_message_has_zalos_id(name, letter):
    body = payload(f"{name}.answer").body
    ref = body["data"].get("msg_id") or body["data"]["message_id"]
    assert judged(answered(body), letter) == Accepted((ref,))


def test_the_quota_of_an_answer_is_read_although_it_is_text():
    said = read_answer(answered(payload("template-send.answer").body))
    assert (said.daily, said.left) == (20_000, 19_999)
    assert read_answer(answered(payload("template-uid.answer").body)).left is None


def expected(meaning):
    """Give the kind of outcome of each class, as the page has it."""
    waits = (Meaning.QUOTA_DAY, Meaning.QUOTA_MONTH, Meaning.HOURS, Meaning.SET_UP, Meaning.MONEY)
    if meaning in waits or meaning in (Meaning.TOKEN, Meaning.RATE, Meaning.TRANSIENT, Meaning.ONCE):
        return Deferred
    return Refused


@pytest.mark.parametrize("name", [name for name in names("answer") if "error-" in name])
def test_every_error_of_the_files_is_an_outcome_of_its_class_although_it_comes_with_200(name):
    file = payload(name)
    assert file["status"] == 200
    letter = CONSULTATION if name.startswith("oa-") else NUMBER
    code = file.body["error"]
    meaning = meaning_of(letter.surface, code)
    assert meaning is not Meaning.UNKNOWN
    outcome = judged(answered(file.body), letter)
    assert isinstance(outcome, expected(meaning))
    assert str(code) in outcome.reason


@pytest.mark.parametrize(("letter", "table"), [(NUMBER, TEMPLATES), (CONSULTATION, OFFICIAL)])
def test_every_code_has_the_outcome_of_its_class(letter, table):
    for code, meaning in table.items():
        outcome = judged(answered({"error": code, "message": "m"}), letter)
        assert isinstance(outcome, expected(meaning)), code
        if isinstance(outcome, Refused):
            assert outcome.lasting
            assert outcome.everywhere is (meaning is Meaning.NUMBER)
        else:
            passing = meaning in (Meaning.TOKEN, Meaning.TRANSIENT, Meaning.ONCE)
            assert outcome.counts is passing
            assert outcome.alone is (not passing and meaning is not Meaning.RATE)


def test_quotas_wait_for_the_next_day_or_month_in_vietnam_each_message_at_its_own_moment():
    midnight = opening.next_day(EPOCH)
    assert (midnight + 7 * 3_600_000) % DAY == 0
    assert EPOCH < midnight <= EPOCH + DAY
    day = judged(answered({"error": -144}))
    assert midnight <= day.until < midnight + opening.SPREAD_MS
    month = judged(answered({"error": -1441}))
    assert opening.next_month(EPOCH) <= month.until < opening.next_month(EPOCH) + opening.SPREAD_MS
    moments = {
        outcome_of(Said(-144, 200), attempt(number), NUMBER, SETTINGS, (), EPOCH).until for number in range(1, 100)
    }
    assert len(moments) > 90


def test_hours_wait_for_the_opening_also_where_our_own_say_open():
    care = Letter(Surface.NUMBER, "", b"", 2)
    for letter in (care, NUMBER):
        until = judged(answered({"error": -133}), letter).until
        assert EPOCH < until < EPOCH + DAY
        assert 7 * 60 <= (until + 7 * 3_600_000) % DAY // 60_000 < 7 * 60 + 5


def test_a_rate_pauses_until_the_next_minute():
    assert judged(answered({"error": -32})) == Deferred("zalo_-32", EPOCH // 60_000 * 60_000 + 60_000, counts=False)
    assert judged(answered(b"slow down", 429)).reason == "http_429"


def test_what_may_pass_is_a_refusal_after_a_few_tries():
    assert isinstance(judged(answered({"error": -100}), tries=1), Deferred)
    assert judged(answered({"error": -100}), tries=2) == Refused("zalo_-100")
    assert judged(answered({"error": -200}), CONSULTATION, tries=1) == Refused("zalo_-200")
    assert isinstance(judged(answered({"error": -124}), tries=6), Deferred)


def test_a_code_that_no_table_knows_is_kept_with_its_words_but_no_number():
    outcome = judged(answered({"error": -7777, "message": "no route to 84912345678 today"}))
    assert outcome == Refused("zalo_-7777: no route to 84•••••••78 today", lasting=False)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (answered(b"<html>"), Unknown("answer_unreadable", ("msg_1-1",))),
        (answered(b"[" * 50_000), Unknown("answer_unreadable", ("msg_1-1",))),
        (answered({"error": 0}), Unknown("answer_without_reference", ("msg_1-1",))),
        (answered({"error": 0, "data": {"msg_id": ""}}), Unknown("answer_without_reference", ("msg_1-1",))),
        (answered({"error_name": "Internal error"}), Unknown("answer_unreadable", ("msg_1-1",))),
        (answered({"error": "0", "data": {"msg_id": 17}}), Accepted(("17",))),
        (answered({"error": True}), Unknown("answer_unreadable", ("msg_1-1",))),
        (answered({"error": -118}, 500), Unknown("http_500", ("msg_1-1",))),
        (answered({"error": 0, "data": {"msg_id": "a"}}, cut=True), Unknown("answer_unreadable", ("msg_1-1",))),
        (answered({"error": "-118"}, 400), Refused("zalo_-118")),
        (answered(b"", 302), Refused("http_302", lasting=False)),
        (answered(b"no", 403), Refused("http_403", lasting=False)),
        (answered(b"", 408), Unknown("http_408", ("msg_1-1",))),
        (answered(b"", 503), Unknown("http_503", ("msg_1-1",))),
    ],
)
def test_what_is_no_envelope_is_believed_as_little_as_it_can_be(answer, outcome):
    assert judged(answer) == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(fault="connect"), Deferred("connect_failed")),
        (Answer(fault="host_not_found"), Deferred("host_not_found")),
        (Answer(fault="connect", written=True), Unknown("connection_lost", ("r",))),
        (Answer(fault="timeout", written=True), Unknown("response_timeout", ("r",))),
        (Answer(200, "protocol", written=True), Unknown("connection_lost", ("r",))),
        (Answer(200, written=True), None),
    ],
)
def test_the_line_is_whether_bytes_may_have_left(answer, outcome):
    assert unanswered(answer, ("r",)) == outcome


def test_only_a_message_to_a_number_can_be_named_later():
    assert refs_of(NUMBER, "msg_1-1") == ("msg_1-1",)
    assert refs_of(USER, "msg_1-1") == refs_of(CONSULTATION, "msg_1-1") == ("",)


def test_a_number_from_abroad_that_zalo_does_not_take_may_be_good_elsewhere():
    assert judged(answered({"error": -108})) == Refused("zalo_-108", everywhere=True)
    assert judged(answered({"error": -108}), destination=85512345678) == Refused("zalo_-108")


@pytest.mark.parametrize(
    ("value", "number"),
    [("17", 17), (" -3 ", -3), (2**53, None), ("9" * 19, None), ("1.5", None), (1.0, None), ("²", None)],
)
def test_a_number_is_whole_and_not_too_large_to_be_meant(value, number):
    assert whole(value) == number
