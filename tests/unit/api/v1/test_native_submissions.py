"""Submissions over the native API: reading, cancelling, and status by token."""

import pytest
from tests.support.history import hand_over
from tests.support.native_api import House


async def test_a_submission_reads_back_with_its_messages(house: House) -> None:
    sent = await house.send(
        ["0912345678", "+84 98 765 4321"], requestId="order-1", ext={"metadata": {"shop": 4}, "x": 1}
    )
    body = (await house.call("GET", f"/api/v1/submissions/{sent['referentId']}")).json()
    assert body["referentId"] == sent["referentId"]
    assert (body["requestId"], body["sender"], body["class"]) == ("order-1", "LOA", "transactional")
    assert (body["text"], body["ext"]) == ("hello", {"metadata": {"shop": 4}, "x": 1})
    assert (body["messageCount"], body["nextCursor"]) == (2, None)
    assert sorted(each["destination"] for each in body["messages"]) == ["84912345678", "84987654321"]
    first = body["messages"][0]
    assert (first["state"], first["channel"], first["error"], first["possibleDuplicate"]) == (
        "queued",
        "vina",
        None,
        False,
    )
    assert first["messageId"].startswith("msg_")
    assert body["acceptedAt"] == first["acceptedAt"] == "2026-11-18T11:06:40.000Z"


async def test_pages_give_every_message_once(house: House) -> None:
    numbers = [f"09123456{tail:02d}" for tail in range(7)]
    sent = await house.send(numbers)
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        target = f"/api/v1/submissions/{sent['referentId']}?limit=3" + (f"&cursor={cursor}" if cursor else "")
        body = (await house.call("GET", target)).json()
        seen += [each["destination"] for each in body["messages"]]
        cursor, pages = body["nextCursor"], pages + 1
    assert pages == 3
    assert sorted(seen) == sorted("84" + number[1:] for number in numbers)


async def test_the_text_is_shown_only_to_keys_that_may_read_content(house: House) -> None:
    sent = await house.send()
    key = await house.new_key(frozenset({"read:messages"}))
    body = (await house.call("GET", f"/api/v1/submissions/{sent['referentId']}", key=key)).json()
    assert body["text"] is None
    assert "hello" not in str(body)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_another_tenants_submission_is_not_there(house: House, method: str) -> None:
    sent = await house.send()
    answer = await house.call(method, f"/api/v1/submissions/{sent['referentId']}", key=house.other_key)
    unknown = await house.call(method, "/api/v1/submissions/sub_nothing", key=house.other_key)
    assert answer.status == unknown.status == 404
    assert answer.json()["detail"] == unknown.json()["detail"]


async def test_cancelling_stops_what_is_queued_and_is_told(house: House) -> None:
    sent = await house.send(["0912345678", "0987654321"])
    answer = await house.call("DELETE", f"/api/v1/submissions/{sent['referentId']}")
    assert (answer.status, answer.body) == (204, b"")
    body = (await house.call("GET", f"/api/v1/submissions/{sent['referentId']}")).json()
    assert {each["state"] for each in body["messages"]} == {"cancelled"}
    events = (await house.call("GET", "/api/v1/events")).json()["events"]
    assert [(event["state"], event["status"]) for event in events] == [("cancelled", -1)] * 2


async def test_what_is_past_queued_cannot_be_cancelled(house: House) -> None:
    sent = await house.send()
    await hand_over(house)
    answer = await house.call("DELETE", f"/api/v1/submissions/{sent['referentId']}")
    assert (answer.status, answer.json()["code"]) == (409, "not_cancellable")


async def test_a_token_shows_states_and_nothing_personal(house: House) -> None:
    sent = await house.send(["0912345678"], text="secret words", requestId="order-7")
    answer = await house.call("GET", f"/api/v1/status/{sent['data']['token']}", key=None)
    assert answer.status == 200
    body = answer.json()
    assert body["messages"] == [
        {"destination": "84•••••••78", "state": "queued", "updatedAt": "2026-11-18T11:06:40.000Z"}
    ]
    for hidden in ("912345", "secret", "LOA", "order-7"):
        assert hidden not in answer.body.decode()


async def test_a_token_pages_like_a_submission(house: House) -> None:
    sent = await house.send([f"09123456{tail:02d}" for tail in range(5)])
    target = f"/api/v1/status/{sent['data']['token']}?limit=4"
    first = (await house.call("GET", target, key=None)).json()
    rest = (await house.call("GET", f"{target}&cursor={first['nextCursor']}", key=None)).json()
    assert (len(first["messages"]), len(rest["messages"]), rest["nextCursor"]) == (4, 1, None)


async def test_a_token_that_is_nearly_right_opens_nothing(house: House) -> None:
    token = (await house.send())["data"]["token"]
    other = "A" if token[-1] != "A" else "B"
    for wrong in (token[:-1] + other, token[:-1], token + "A", token[:26], "x", "%00"):
        assert (await house.call("GET", f"/api/v1/status/{wrong}", key=None)).status == 404
