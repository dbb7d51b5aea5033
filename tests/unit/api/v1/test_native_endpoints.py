"""Endpoints and replay."""

import pytest
from tests.support.history import deliver, hand_over, post_callback
from tests.support.native_api import House

from loa.domain.callback_body import callback_public_id

URL = "https://example.com/in"


async def test_a_secret_is_shown_once(house: House) -> None:
    made = await house.call("POST", "/api/v1/endpoints", {"url": URL, "everyStep": True})
    assert made.status == 201
    assert made.json()["secret"].startswith("whsec_")
    listing = await house.call("GET", "/api/v1/endpoints")
    assert listing.json()["endpoints"] == [
        {
            "endpointId": made.json()["endpointId"],
            "url": URL,
            "everyStep": True,
            "inbound": False,
            "default": False,
            "failingSince": None,
            "disabledAt": None,
            "disabledReason": None,
        }
    ]
    assert "whsec_" not in listing.body.decode()


async def test_an_endpoint_that_is_there_keeps_its_secret(house: House) -> None:
    first = await house.call("POST", "/api/v1/endpoints", {"url": URL})
    again = await house.call("POST", "/api/v1/endpoints", {"url": URL, "everyStep": True, "inbound": True})
    assert (again.status, again.json()["secret"]) == (200, None)
    assert again.json()["inbound"] is True
    assert again.json()["endpointId"] == first.json()["endpointId"]
    assert again.json()["everyStep"] is True


async def test_a_default_endpoint_is_reported_to_at_once(house: House) -> None:
    made = await house.call("POST", "/api/v1/endpoints", {"url": URL, "default": True})
    assert made.json()["default"] is True
    await house.send()
    await hand_over(house)
    await deliver(house)
    now = house.clock.now() + 1_000
    (due,) = await house.ledger.claim_due(1, 1, now, now + 1_000, [])
    assert (due.url, due.secrets) == (URL, (made.json()["secret"],))


async def test_an_address_the_guard_refuses_makes_no_endpoint(house: House) -> None:
    house.refused_urls["metadata.internal"] = "link_local"
    answer = await house.call("POST", "/api/v1/endpoints", {"url": "http://metadata.internal/"})
    assert answer.status == 422
    assert answer.json()["errors"] == [
        {
            "pointer": "/url",
            "code": "url_not_allowed",
            "detail": "Callbacks may not go to this address (link_local).",
        }
    ]
    assert (await house.call("GET", "/api/v1/endpoints")).json() == {"endpoints": []}


@pytest.mark.parametrize(
    "body",
    [{}, {"url": ""}, {"url": 1}, {"url": None}, {"url": "https://a b/"}, {"url": "https://a/\u0000"}, {"url": URL, "x": 1},
     {"url": "https://example.com/" + "a" * 2048}, [], 7, {"url": "\ud800"}],
)  # fmt: skip
async def test_a_bad_endpoint_is_refused_and_not_stored(house: House, body: object) -> None:
    answer = await house.call("POST", "/api/v1/endpoints", body)
    assert answer.status == 422
    assert answer.json()["errors"]
    assert (await house.call("GET", "/api/v1/endpoints")).json() == {"endpoints": []}


async def test_a_tenant_sees_its_own_endpoints_alone(house: House) -> None:
    await house.call("POST", "/api/v1/endpoints", {"url": URL})
    assert (await house.call("GET", "/api/v1/endpoints", key=house.other_key)).json() == {"endpoints": []}


@pytest.fixture
async def failed(house: House) -> int:
    """The id of a callback that was given up."""
    await house.call("POST", "/api/v1/endpoints", {"url": URL, "default": True})
    await house.send()
    await hand_over(house)
    await deliver(house)
    return await post_callback(house, delivered=False, over=True)


async def replayed(house: House, body: object, key: str = "") -> int:
    answer = await house.call("POST", "/api/v1/callbacks/replay", body, key=key)
    assert answer.status == 200, answer.body
    return int(answer.json()["replayed"])


async def test_a_named_callback_is_due_again(house: House, failed: int) -> None:
    assert await replayed(house, {"callbackIds": [callback_public_id(failed)]}) == 1
    now = house.clock.now() + 2_000
    assert [due.id for due in await house.ledger.claim_due(1, 1, now, now + 1_000, [])] == [failed]


async def test_what_failed_at_an_endpoint_is_due_again(house: House, failed: int) -> None:
    assert await replayed(house, {"endpointId": 1, "since": "2026-11-19T00:00:00Z"}) == 0
    assert await replayed(house, {"endpointId": 1, "since": "2026-11-18T00:00:00Z"}) == 1
    assert await replayed(house, {"endpointId": 1}) == 0


async def test_another_tenants_callbacks_stay_as_they_are(house: House, failed: int) -> None:
    assert await replayed(house, {"callbackIds": [callback_public_id(failed)]}, house.other_key) == 0
    answer = await house.call("POST", "/api/v1/callbacks/replay", {"endpointId": 1}, key=house.other_key)
    assert answer.status == 404
    now = house.clock.now() + 2_000
    assert await house.ledger.claim_due(1, 1, now, now + 1_000, []) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/callbackIds"),
        ({"callbackIds": ["cb_1", "nonsense"]}, "/callbackIds/1"),
        ({"callbackIds": ["cb_1"] * 501}, "/callbackIds"),
        ({"endpointId": 0}, "/endpointId"),
        ({"endpointId": 2**63}, "/endpointId"),
        ({"endpointId": 1, "since": "yesterday"}, "/since"),
        ({"endpointId": 1, "since": "2026-11-18T00:00:00"}, "/since"),
    ],
)
async def test_a_replay_that_names_nothing_readable_is_refused(house: House, body: object, pointer: str) -> None:
    answer = await house.call("POST", "/api/v1/callbacks/replay", body)
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
