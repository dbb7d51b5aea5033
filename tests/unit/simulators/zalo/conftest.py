"""Simulated platforms that know the payloads' Official Account, and a foreign client to speak to them."""

import io
import json

import aiohttp
import pytest
from tests.support.zalo_payloads import WORLD, payloads_oa
from tests.unit.simulators.sim_clock import HandClock

from loa.simulators.receiver.server import CallbackReceiver
from loa.simulators.zalo.script import ZaloScript
from loa.simulators.zalo.server import ZaloSimulator


@pytest.fixture
def clock():
    """Stand still at the payloads' time: early in the morning in Vietnam, when anything may be sent."""
    return HandClock(WORLD["at"])


@pytest.fixture
async def zalo(clock):
    """Start platforms: `await zalo(field=value, …)`; further options by `options={}`, others of the OA by `oa={}`."""
    started = []

    async def start(options=None, oa=None, **fields):
        given = {"clock": clock, "oas": (payloads_oa(**(oa or {})),), **(options or {})}
        simulator = ZaloSimulator(script=ZaloScript(**fields), **given)
        await simulator.start()
        started.append(simulator)
        return simulator

    yield start
    for simulator in started:
        await simulator.stop()


@pytest.fixture
async def listener():
    """Listen for events."""
    async with aiohttp.ClientSession():
        receiver = CallbackReceiver()
        await receiver.start()
        yield receiver
        await receiver.stop()


class Foreign:
    """A client that is none of ours."""

    def __init__(self, session):
        self.session = session

    async def ask(self, url, request, **changes):
        """Send a request payload as it stands there, with changes; give status, headers and body."""
        parts = {**request.parts, **changes}
        options = {"params": parts.get("query"), "headers": dict(parts["headers"])}
        if "form" in parts:
            options["data"] = parts["form"]
        elif "json" in parts:
            options["json"] = parts["json"]
        elif "multipart" in parts:
            options["data"] = form(**parts["multipart"])
        asked = self.session.request(parts["method"], url + parts["path"], allow_redirects=False, **options)
        async with asked as answer:
            return answer.status, answer.headers, await answer.read()

    async def json(self, url, request, **changes):
        """Send a request payload; give the JSON of a 200."""
        status, _, body = await self.ask(url, request, **changes)
        assert status == 200
        return json.loads(body)


def form(field, filename, content_type, octets):
    made = aiohttp.FormData()
    content = octets if isinstance(octets, bytes) else bytes.fromhex(octets)
    made.add_field(field, io.BytesIO(content), filename=filename, content_type=content_type)
    return made


@pytest.fixture
async def client():
    async with aiohttp.ClientSession() as session:
        yield Foreign(session)
