"""A running platform is scripted line by line, as the control port does it."""

import asyncio
import json

import pytest
from tests.support.zalo_payloads import WORLD, payload

from loa.errors import ConfigError
from loa.simulators.journal import read_journal
from loa.simulators.zalo.control import COMMANDS
from loa.simulators.zalo.run import ZaloOptions, run_zalo
from loa.simulators.zalo.script import Fault, ZaloScript
from loa.simulators.zalo.world import user_from

USER = WORLD["user_id"]


def do(platform, what, **more):
    return COMMANDS[what](platform, {"do": what, **more})


async def test_the_script_changes_field_by_field_and_numbers_begin_again(zalo, client):
    platform = await zalo(off_zalo=("99",))
    await client.json(platform.url, payload("template-send.request"))
    changed = do(platform, "script", set={"faults": [{"does": "page", "when": {"pick": {"first": 1}}}]}, recount=True)
    assert changed["script"]["off_zalo"] == ["99"]
    _, headers, _ = await client.ask(platform.url, payload("template-send.request"))
    assert headers["Content-Type"].startswith("text/html")
    assert (await client.json(platform.url, payload("template-send.request")))["error"] == 0


async def test_counts_phones_and_cut_connections_are_told(zalo, client):
    platform = await zalo(off_zalo=("78",))
    await client.json(platform.url, payload("template-send.request"))
    await client.json(platform.url, payload("oa-text.request"))
    status = json.loads(json.dumps(do(platform, "status")))
    assert status["url"] == platform.url
    assert (status["counts"]["accepted"], status["counts"]["codes"]) == (1, {"-118": 1})
    (shown,) = do(platform, "shown")["shown"]
    assert (shown["destination"], shown["text"]) == (USER, payload("oa-text.request").body["message"]["text"])
    assert do(platform, "reset") == {"connections": 1}


async def test_fresh_tokens_work_until_they_are_taken_away(zalo, client):
    platform = await zalo()
    given = do(platform, "tokens")
    headers = {**payload("quota.request")["headers"], "access_token": given["access_token"]}
    assert (await client.json(platform.url, payload("quota.request"), headers=headers))["error"] == 0
    do(platform, "revoke")
    assert (await client.json(platform.url, payload("quota.request"), headers=headers))["error"] == -124


async def test_people_do_things_and_each_makes_its_event(zalo, client, listener):
    platform = await zalo(events_url=listener.url)
    sent = await client.json(platform.url, payload("template-send.request"))
    do(platform, "say", user=USER, text="Còn hàng không?")
    do(platform, "unfollow", user=USER)
    do(platform, "follow", user="5555")
    do(platform, "rate", message=sent["data"]["msg_id"], rate=4, note="Tốt")
    do(platform, "template", id="302117", set={"status": "DISABLE", "reason": "spam"})
    do(platform, "quota", daily=30_000, remaining=3)
    do(platform, "post", event={"event_name": "user_click_chatnow"})
    do(platform, "user", set={"user_id": "6666", "msisdn": "84987654321"})
    await platform.until(lambda counts: counts.events_taken == 8)
    posted = [json.loads(each.body)["event_name"] for each in listener.deliveries]
    assert sorted(posted) == sorted(
        [
            "user_received_message",
            "user_send_text",
            "unfollow",
            "follow",
            "user_feedback",
            "change_template_status",
            "change_oa_daily_quota",
            "user_click_chatnow",
        ]
    )
    oa = platform.oa()
    assert (oa.remaining, oa.users["5555"].follower, oa.users["6666"].told.msisdn) == (3, True, "84987654321")
    do(platform, "events_on")


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("script", {"set": {"speed": 1}}),
        ("script", {"set": 3}),
        ("say", {"user": USER}),
        ("rate", {"message": "none"}),
        ("rate", {"message": "none", "rate": "5"}),
        ("template", {"id": "302117", "set": {"colour": "red"}}),
        ("template", {"id": "1", "set": {}}),
        ("user", {"set": {"name": "A"}}),
        ("post", {"event": {"name": "x"}}),
        ("tokens", {"oa": "1"}),
    ],
)
async def test_a_wrong_command_is_told_and_changes_nothing(zalo, what, more):
    platform = await zalo()
    with pytest.raises(ConfigError):
        do(platform, what, **more)
    assert platform.script == ZaloScript()
    assert platform.oa().templates["302117"].told.status == "ENABLE"


async def test_the_program_announces_itself_and_ends_when_cancelled(tmp_path):
    ready = asyncio.get_running_loop().create_future()
    options = ZaloOptions(
        port=0,
        control_port=0,
        script=ZaloScript(faults=(Fault("slow"),)),
        journal=tmp_path / "zalo.jsonl",
        on_ready=lambda simulator, control_port: ready.set_result((simulator, control_port)),
    )
    running = asyncio.create_task(run_zalo(options))
    simulator, control_port = await ready
    reader, writer = await asyncio.open_connection("127.0.0.1", control_port)
    writer.write(b'{"do":"tokens"}\n')
    given = json.loads(await reader.readline())
    assert given["ok"]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", simulator.port)
    (line,) = read_journal(tmp_path / "zalo.jsonl")
    assert (line["grant"], line["access"]) == ("given", given["access_token"])


def test_a_user_is_described_by_known_fields_only():
    with pytest.raises(ConfigError, match="colour"):
        user_from({"user_id": "1", "colour": "red"})
