import asyncio
import json

import pytest
from tests.unit.simulators.sim_client import submit

from loa.simulators.control import ControlPort
from loa.simulators.smsc.control import COMMANDS
from loa.simulators.smsc.run import SmscOptions, run_smsc
from loa.simulators.smsc.script import Script
from loa.smpp.status import ESME_RTHROTTLED


@pytest.fixture
async def control():
    """Open a control port for a simulator and give a function that sends one line and reads one."""
    opened = []

    async def open_for(simulator):
        port = ControlPort(simulator, COMMANDS)
        await port.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
        opened.append((port, writer))

        async def say(line):
            writer.write((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n")
            return json.loads(await reader.readline())

        return say

    yield open_for
    for port, writer in opened:
        writer.close()
        await port.stop()


async def test_a_script_can_be_changed_while_clients_are_bound(smsc, dial, control):
    simulator = await smsc()
    client, say = await dial(simulator.port), await control(simulator)
    assert (await client.ask(submit())).status == 0
    answer = await say({"do": "script", "set": {"throttle": {"every": 1}}, "recount": True})
    assert answer["ok"]
    assert answer["script"]["throttle"]["every"] == 1
    assert (await client.ask(submit())).status == ESME_RTHROTTLED


async def test_the_counts_can_be_read(smsc, dial, control):
    simulator = await smsc()
    client, say = await dial(simulator.port), await control(simulator)
    await client.ask(submit(registered=0))
    answer = await say({"do": "status"})
    assert answer["port"] == simulator.port
    assert (answer["counts"]["accepted"], answer["counts"]["links"]) == (1, 1)


@pytest.mark.parametrize(("command", "end"), [("reset", "reset"), ("close", "closed")])
async def test_connections_can_be_cut(smsc, dial, control, command, end):
    simulator = await smsc()
    client, say = await dial(simulator.port), await control(simulator)
    assert await say({"do": command}) == {"ok": True, "links": 1}
    assert await client.ended() == end


async def test_clients_can_be_sent_away(smsc, dial, control):
    simulator = await smsc()
    client, say = await dial(simulator.port), await control(simulator)
    assert await say({"do": "unbind"}) == {"ok": True, "links": 1}
    await client.until_arrived("Unbind")


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b"{}",
        b'{"do":"dance"}',
        b'{"do":[]}',
        b'{"do":"script","set":{"x":1}}',
        b'{"do":"script","set":3}',
    ],
)
async def test_a_wrong_command_changes_nothing_and_the_next_is_heard(smsc, control, line):
    simulator = await smsc()
    say = await control(simulator)
    answer = await say(line)
    assert not answer["ok"]
    assert answer["error"]
    assert simulator.script == Script()
    assert (await say({"do": "status"}))["ok"]


async def test_the_program_announces_itself_and_ends_when_cancelled(tmp_path):
    ready = asyncio.get_running_loop().create_future()
    options = SmscOptions(
        port=0,
        control_port=0,
        journal=tmp_path / "smsc.jsonl",
        on_ready=lambda simulator, control_port: ready.set_result((simulator, control_port)),
    )
    running = asyncio.create_task(run_smsc(options))
    simulator, control_port = await ready
    reader, writer = await asyncio.open_connection("127.0.0.1", control_port)
    writer.write(b'{"do":"status"}\n')
    assert json.loads(await reader.readline())["port"] == simulator.port
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", simulator.port)
