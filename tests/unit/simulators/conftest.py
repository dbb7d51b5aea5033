"""Simulators that start on a free port and are stopped after the test."""

import pytest
from tests.unit.simulators.sim_client import Client

from loa.simulators.receiver.server import CallbackReceiver
from loa.simulators.smsc.script import Script
from loa.simulators.smsc.server import SmscSimulator
from loa.smpp.commands import BIND_TRANSCEIVER
from loa.smpp.pdu import BindRequest


@pytest.fixture
async def smsc():
    """Start simulators: `await smsc(field=value, …)`; further options by `options={}`."""
    started = []

    async def start(options=None, **fields):
        simulator = SmscSimulator(script=Script(**fields), **(options or {}))
        await simulator.start()
        started.append(simulator)
        return simulator

    yield start
    for simulator in started:
        await simulator.stop()


@pytest.fixture
async def receiver():
    """Start receivers: `await receiver(secret=…, script=…)`."""
    started = []

    async def start(**options):
        found = CallbackReceiver(**options)
        await found.start()
        started.append(found)
        return found

    yield start
    for found in started:
        await found.stop()


class Dialling:
    def __init__(self):
        self.clients = []

    async def open(self, port):
        self.clients.append(await Client.connect(port))
        return self.clients[-1]

    async def __call__(self, port, kind=BIND_TRANSCEIVER, system_id="esme"):
        client = await self.open(port)
        answer = await client.ask(BindRequest(kind, system_id=system_id, password="secret"))
        assert answer.status == 0
        return client


@pytest.fixture
async def dial():
    """Connect clients that are closed after the test: `await dial(port)` is bound, `await dial.open(port)` is not."""
    dialling = Dialling()
    yield dialling
    for client in dialling.clients:
        await client.close()
