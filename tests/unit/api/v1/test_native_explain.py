"""The dry run agrees with the real call."""

from typing import Any

import pytest
from tests.support.native_api import EVERYTHING, House

GOOD: dict[str, Any] = {
    "destinations": ["0912345678"],
    "from": "LOA",
    "text": "hello",
    "useUnicode": 0,
    "type": 0,
}


async def test_what_would_be_sent_is_explained(house: House) -> None:
    body = {**GOOD, "destinations": ["0912345678", "+84912345678"], "text": "Chào 🙂", "useUnicode": 1}
    answer = await house.call("POST", "/api/v1/explain", body)
    assert answer.status == 200
    said = answer.json()
    assert (said["wouldBeAccepted"], said["class"]) == (True, "transactional")
    assert (said["text"]["encoding"], said["text"]["segmentCount"], said["text"]["units"]) == ("ucs2", 1, 7)
    assert [each["codepoint"] for each in said["text"]["forcing"]] == ["U+1F642"]
    first, second = said["destinations"]
    assert (first["msisdn"], first["carrier"], first["route"]) == ("84912345678", "vinaphone", ["vina", "upstream"])
    assert second["repeats"] == 0
    assert {each["rule"] for each in said["verdicts"]} >= {"sender_form", "segments", "sending_hours"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"type": "2"},
        {"type": 1},
        {"useUnicode": 2, "text": "đường"},
        {"useUnicode": 0, "text": "đường"},
        {"useUnicode": 1, "text": "ờ" * 2_000},
        {"from": "NOBODY"},
        {"destinations": ["091"]},
        {"destinations": ["091", "0912345678"], "ext": {"onInvalid": "skip"}},
        {"destinations": ["+12025550123"]},
        {"scheduled": "2026-12-24 08:00:00"},
        {"scheduled": "soon"},
        {"ext": {"channels": ["nowhere"]}},
        {"ext": {"ttl": 60}},
        {"text": "\u0000"},
        {"useUnicode": 3},
        {"destinations": []},
    ],
)
async def test_it_comes_to_the_verdict_of_the_send_call(house: House, change: dict[str, Any]) -> None:
    body = {**GOOD, **change}
    explained = await house.call("POST", "/api/v1/explain", body)
    sent = await house.call("POST", "/api/vendor/v1/sms/send-message", body)
    would_be_accepted = explained.status == 200 and explained.json()["wouldBeAccepted"]
    assert would_be_accepted == (sent.status == 201)
    if sent.status == 400:
        problem = explained.json()
        found = problem["findings"] if explained.status == 200 else problem["errors"]
        assert len({each["pointer"] for each in found}) == len(sent.json()["errors"])


async def test_a_class_the_key_may_not_send_is_explained_as_denied(house: House) -> None:
    key = await house.new_key(frozenset({"send:otp"}))
    said = (await house.call("POST", "/api/v1/explain", GOOD, key=key)).json()
    assert (said["wouldBeAccepted"], [each["code"] for each in said["denied"]]) == (False, ["send_not_permitted"])


async def test_a_dry_run_leaves_nothing_behind(house: House) -> None:
    await house.call("POST", "/api/v1/explain", {**GOOD, "requestId": "order-1"})
    assert (await house.call("GET", "/api/v1/messages")).json()["messages"] == []
    assert (await house.send(requestId="order-1"))["code"] == 201


async def test_findings_are_said_in_the_callers_language(house: House) -> None:
    key = await house.new_key(EVERYTHING, senders=("OTHER",))
    for language, word in (("en", "may not send as"), ("vi", "không được gửi bằng")):
        said = await house.call("POST", "/api/v1/explain", GOOD, key=key, headers={"accept-language": language})
        assert word in said.json()["denied"][0]["detail"]


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-encoding": "gzip"}])
async def test_a_body_that_is_not_plain_json_is_refused_by_header(house: House, headers: dict[str, str]) -> None:
    answer = await house.call("POST", "/api/v1/explain", GOOD, headers=headers)
    assert answer.status == 422
    assert answer.json()["errors"][0]["header"].lower() in headers
