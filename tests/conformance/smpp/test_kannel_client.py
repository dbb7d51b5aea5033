"""Kannel, a gateway written in C, as a client of our SMSC simulator: in by its HTTP, out by its SMPP, and back.

Its bearerbox and smsbox run as child processes on ports of their own, in a temporary folder.
"""

import shutil
import socket
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import pytest
from tests.conformance.smpp.peer_process import PeerProcess

from loa.simulators.receiver.server import CallbackReceiver
from loa.simulators.smsc.events import Shown
from loa.simulators.smsc.script import Fortune, Script
from loa.simulators.smsc.server import SmscSimulator

pytestmark = pytest.mark.conformance

CURE = "Kannel is not installed: apt-get update && apt-get install -y kannel"
LONG = "Xin chao quy khach, day la mot tin nhan dai. " * 8
LONG_VIETNAMESE = "Mã xác thực của quý khách là 123456. " * 5
DELIVERED, UNDELIVERED, TAKEN_BY_SMSC = "1", "2", "8"

CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = never-used
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = loa
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = kannel
smsc-password = secret
system-type = ""
source-addr-autodetect = true
max-pending-submits = 10
reconnect-delay = 1
msg-id-type = {id_type}

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
global-sender = LOA

group = sendsms-user
username = tester
password = tester-secret
max-messages = 10
concatenation = true
"""


def program(name):
    """Find one of Kannel's programs, or say what cures its absence."""
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    assert found is not None, CURE
    return found


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Kannel:
    """Both of its programs, and its way in."""

    def __init__(self, folder: Path, smsc: SmscSimulator, receiver: CallbackReceiver, id_type: str):
        self._folder, self._smsc, self._receiver, self._id_type = folder, smsc, receiver, id_type
        self._programs, self._readers = [], []

    async def start(self):
        admin, boxes, self._sendsms = free_ports(3)
        path = self._folder / "kannel.conf"
        path.write_text(
            CONFIGURATION.format(
                admin=admin, boxes=boxes, sendsms=self._sendsms, smsc=self._smsc.port, id_type=self._id_type
            )
        )
        bearerbox = await self._run("bearerbox", path)
        await self._smsc.until(lambda counts: counts.links == 1)
        smsbox = await self._run("smsbox", path)
        await smsbox.line_with("Connected to bearerbox")
        await bearerbox.line_with("Client connected from")
        self._readers = [program.drain() for program in self._programs]
        return self

    async def _run(self, name, path):
        started = await PeerProcess.start(program(name), "-v", "0", path, cwd=self._folder)
        self._programs.append(started)
        return started

    async def send(self, text, **more):
        """Hand in one message; its reports come back to our receiver."""
        report = f"{self._receiver.url}/report?status=%d&to=%p&ref=%F"
        query = {
            "username": "tester",
            "password": "tester-secret",
            "from": "LOA",
            "to": "84912345678",
            "text": text,
            "charset": "UTF-8",
            "dlr-mask": "31",
            "dlr-url": report,
            **more,
        }
        url = f"http://127.0.0.1:{self._sendsms}/cgi-bin/sendsms"
        async with aiohttp.ClientSession() as http, http.get(url, params=query) as answer:
            return answer.status, await answer.text()

    async def stop(self):
        for started in reversed(self._programs):
            await started.stop()
        for reader in self._readers:
            await reader


@pytest.fixture
async def smsc():
    shown = []
    simulator = SmscSimulator(
        script=Script(password="secret"),
        on_event=lambda event: shown.append(event) if isinstance(event, Shown) else None,
    )
    await simulator.start()
    simulator.shown = shown
    yield simulator
    await simulator.stop()


@pytest.fixture
async def receiver():
    found = CallbackReceiver()
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def kannel(tmp_path, smsc, receiver):
    started = []

    async def start(id_type="0x00"):
        started.append(Kannel(tmp_path, smsc, receiver, id_type))
        return await started[-1].start()

    yield start
    for found in started:
        await found.stop()


def reports(receiver):
    """Give the reports that Kannel made, as (status, destination)."""
    queries = [parse_qs(delivery.query) for delivery in receiver.deliveries]
    return sorted((query["status"][0], query["to"][0]) for query in queries)


@pytest.mark.parametrize(
    ("text", "more", "parts"),
    [
        ("Hello {world} €5", {}, 1),
        ("Mã của bạn là 123456", {"coding": "2"}, 1),
        (LONG.strip(), {}, 3),
        (LONG_VIETNAMESE.strip(), {"coding": "2"}, 3),
    ],
)
async def test_a_message_of_kannel_reaches_the_handset_and_its_receipt_comes_back(
    kannel, smsc, receiver, text, more, parts
):
    gateway = await kannel()
    status, answer = await gateway.send(text, **more)
    assert status == 202, answer
    await receiver.until(lambda counts: counts.requests == 2)
    assert [(shown.text, shown.source, shown.destination, shown.parts) for shown in smsc.shown] == [
        (text, "LOA", "84912345678", parts)
    ]
    assert reports(receiver) == [(DELIVERED, "84912345678"), (TAKEN_BY_SMSC, "84912345678")]


@pytest.mark.parametrize(
    ("response_id", "receipt_id", "id_type"), [("hex", "decimal", "0x01"), ("decimal", "hex_upper", "0x02")]
)
async def test_ids_in_two_bases_find_each_other_in_kannel(kannel, smsc, receiver, response_id, receipt_id, id_type):
    smsc.change(Script(response_id=response_id, receipt_id=receipt_id, receipt_form="text"))
    gateway = await kannel(id_type)
    await gateway.send("mixed bases")
    await receiver.until(lambda counts: counts.requests == 2)
    assert reports(receiver)[0] == (DELIVERED, "84912345678")


async def test_kannel_understands_a_failure(kannel, smsc, receiver):
    smsc.change(Script(fortunes=(Fortune("UNDELIV", digits="78"),)))
    gateway = await kannel()
    await gateway.send("nobody home")
    await receiver.until(lambda counts: counts.requests == 2)
    assert reports(receiver)[0] == (UNDELIVERED, "84912345678")
    assert smsc.shown == []


async def test_kannel_comes_back_after_a_reset_and_is_told_what_it_missed(kannel, smsc, receiver):
    gateway = await kannel()
    smsc.change(Script(receipt_window=0))
    await gateway.send("late news")
    await smsc.until(lambda counts: counts.receipts_waiting == 1)
    assert smsc.reset_all() == 1
    await smsc.until(lambda counts: counts.links == 0)
    await smsc.until(lambda counts: counts.links == 1)
    smsc.change(Script())
    await receiver.until(lambda counts: counts.requests == 2)
    assert reports(receiver)[0] == (DELIVERED, "84912345678")
