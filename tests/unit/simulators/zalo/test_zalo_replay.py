"""Every request payload is answered in the shape of its answer payload, by a server that a foreign client asks."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.zalo_payloads import WORLD, names, payload

from loa.simulators.zalo.script import Fault, Refused, When, ZaloScript

AFTER = {"message-status.request": "template-send.request"}
"""What must be asked before, so that there is something to ask about."""


def shape(value):
    """Say of what a JSON value is made: members and kinds, a list by its first item."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


async def filled(url, client, name):
    """Replace what a payload stands for by what the simulator gave: codes, tokens, ids."""
    request, changes = payload(name), {}
    if name == "oauth-exchange.request":
        _, headers, _ = await client.ask(url, payload("oauth-consent.request"))
        code = parse_qs(urlsplit(headers["Location"]).query)["code"][0]
        changes["form"] = {**request["form"], "code": code}
    elif name == "message-status.request":
        sent = await client.json(url, payload("template-send.request"))
        changes["query"] = {"message_id": sent["data"]["msg_id"]}
    elif "journey_token" in request["headers"]:
        opened = await client.json(url, payload("journey-get-token.request"))
        changes["headers"] = {**request["headers"], "journey_token": opened["token"]}
    elif "of-the-fixtures" in json.dumps(request.get("json", {})):
        kind = "file" if name == "oa-file.request" else "gif" if name == "oa-gif.request" else "image"
        uploaded = await client.json(url, payload(f"upload-{kind}.request"))
        text = json.dumps(request["json"])
        for made in uploaded["data"].values():
            text = text.replace("attachment-of-the-fixtures", made).replace("file-token-of-the-fixtures", made)
        changes["json"] = json.loads(text)
    return request, changes


@pytest.mark.parametrize("name", names("request"))
async def test_a_request_is_answered_in_the_shape_of_its_payload(zalo, client, name):
    platform = await zalo()
    sent = await client.json(platform.url, payload("template-send.request"))
    platform.acts.rate(sent["data"]["msg_id"], 5, "Rất tốt", ("Giao nhanh",))
    request, changes = await filled(platform.url, client, name)
    expected = payload(request["answer"])
    status, headers, body = await client.ask(platform.url, request, **changes)
    assert status == expected["status"]
    if "json" not in expected.parts:
        wanted, given = urlsplit(expected["headers"]["Location"]), urlsplit(headers["Location"])
        assert (given.scheme, given.netloc, given.path) == (wanted.scheme, wanted.netloc, wanted.path)
        assert sorted(parse_qs(given.query)) == sorted(parse_qs(wanted.query))
        return
    answered = json.loads(body)
    assert shape(answered) == shape(expected.body)
    assert answered.get("error") == expected.body.get("error")


ERRORS = [each for each in names("answer") if each.startswith(("error-", "oa-error-"))]


@pytest.mark.parametrize("name", ERRORS)
async def test_every_error_can_be_had_on_demand(zalo, client, name):
    surface = "consultation" if name.startswith("oa-") else "number"
    expected = payload(name)
    code = expected.body["error"]
    platform = await zalo(refuse=(Refused(code, When(surface)),))
    if code == -32:
        platform.change(ZaloScript(faults=(Fault("rate"),)))
    request = payload("oa-text.request" if surface == "consultation" else "template-send.request")
    status, headers, body = await client.ask(platform.url, request)
    assert status == 200
    assert json.loads(body)["error"] == code
    assert shape(json.loads(body)) == shape(expected.body)
    assert {each for each in expected["headers"] if each.startswith("X-Rate")} <= set(headers)


async def test_the_payloads_of_failed_sign_in_are_the_shapes_of_the_token_endpoint(zalo, client):
    platform = await zalo(oa={"redirect_uri": "https://elsewhere.example/"})
    refresh = payload("oauth-refresh.request")
    wrong_app = await client.json(platform.url, refresh, form={**refresh["form"], "app_id": "1"})
    _, _, body = await client.ask(platform.url, payload("oauth-consent.request"))
    await client.json(platform.url, refresh)
    spent = await client.json(platform.url, refresh)
    for given, name in ((wrong_app, "app"), (json.loads(body), "redirect"), (spent, "spent")):
        assert given == payload(f"oauth-refused-{name}.answer").body
    assert WORLD["refresh_token"] == refresh["form"]["refresh_token"]
