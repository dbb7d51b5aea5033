"""Our SMPP channel as a client of an SMSC that we did not write: the server of smpp.twisted3, in its own process."""

import asyncio
import sys
from pathlib import Path

import pytest
from tests.conformance.smpp.peer_process import PeerProcess

from loa.app.probes import NoProbe
from loa.channels.smpp.provider import PROVIDER
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted
from loa.domain.traffic import TrafficClass
from loa.observe.clock import SystemClock
from loa.ports.channel import Attempt, ChannelContext
from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp.payload import content

pytestmark = pytest.mark.conformance

PEER = Path(__file__).parent / "peers/twisted_smsc.py"
LONG = "Xin chao, day la mot tin nhan dai hon mot trang. " * 8
LONG_VIETNAMESE = "Mã xác thực của quý khách là 123456, không chia sẻ mã này cho bất kỳ ai. " * 3


class Ours:
    """One channel of ours and everything it tells the gateway."""

    def __init__(self, port, password="secret", **settings):
        self.clock = SystemClock()
        self.woken = asyncio.Event()
        self.outcomes = asyncio.Queue()
        self.receipts = asyncio.Queue()
        given = {"host": "127.0.0.1", "port": port, "system_id": "loa", "password": password, **settings}
        context = ChannelContext(
            channel_id=1,
            name="twisted",
            clock=self.clock,
            probe=NoProbe(),
            receipts=self._take,
            wake=self.woken.set,
            settings=PROVIDER.check(given),
        )
        self.channel = PROVIDER.build(context)

    def _take(self, receipt, done):
        self.receipts.put_nowait(receipt)
        done(True)

    async def bound(self):
        await self.channel.start()
        while self.channel.status().links_up < self.channel.status().links:
            self.woken.clear()
            await self.woken.wait()
        return self

    async def send(self, text, encoding, segments):
        attempt = Attempt(
            message_id=1,
            number=1,
            channel_id=1,
            traffic_class=TrafficClass.TRANSACTIONAL,
            destination=84912345678,
            sender="LOA",
            text=text,
            encoding=encoding,
            segment_count=segments,
            expires_at=self.clock.now() + 600_000,
            referent_id="sub_1",
            possible_duplicate=False,
            ext={},
        )
        self.channel.submit([attempt], lambda _, outcome: self.outcomes.put_nowait(outcome))
        return await self.outcomes.get()


@pytest.fixture
async def smsc():
    peer = await PeerProcess.start(sys.executable, "-W", "ignore", PEER, "loa", "secret")
    peer.port = (await peer.json_with("port"))["port"]
    yield peer
    await peer.stop()


@pytest.fixture
async def ours(smsc):
    started = []

    async def start(**settings):
        started.append(await Ours(smsc.port, **settings).bound())
        return started[-1]

    yield start
    for found in started:
        await found.channel.stop(1.0)


def text_of(submit):
    """Read one submit as the foreign library reported it: text and part."""
    headed = c.ESM_UDHI if "UDHI_INDICATOR_SET" in submit["esm"] else 0
    coding = c.CODING_UCS2 if submit["coding"].endswith("UCS2") else c.CODING_DEFAULT
    read = content(p.SubmitSm(esm_class=headed, data_coding=coding, short_message=bytes.fromhex(submit["submit"])))
    return read.text, read.part


async def seen(smsc, count):
    """Give the submits in order, once each receipt for them was answered."""
    lines = [await smsc.json_with("ref") for _ in range(2 * count)]
    answered = [line["answered"] for line in lines if "answered" in line]
    assert answered == ["ESME_ROK"] * count, smsc.lines
    return [line for line in lines if "submit" in line]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Hello {world} €5", "gsm7"), ("Mã của bạn là 123456", "ucs2")],
)
async def test_a_short_message_is_read_as_it_was_written_and_its_receipt_comes_back(smsc, ours, text, encoding):
    channel = await ours()
    outcome = await channel.send(text, encoding, 1)
    [submit] = await seen(smsc, 1)
    assert text_of(submit) == (text, None)
    assert (submit["source"], submit["destination"]) == ("LOA", "84912345678")
    assert submit["receipt"] == "SMSC_DELIVERY_RECEIPT_REQUESTED"
    assert submit["validity"]
    assert outcome == Accepted((submit["ref"],))
    receipt = await channel.receipts.get()
    assert (receipt.state, receipt.stat, receipt.destination) == (State.DELIVERED, "DELIVRD", 84912345678)
    assert submit["ref"] in receipt.refs


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [(LONG, "gsm7", 3), (LONG_VIETNAMESE, "ucs2", 4)],
)
async def test_a_long_message_arrives_in_parts_that_make_the_text_again(smsc, ours, text, encoding, segments):
    channel = await ours()
    outcome = await channel.send(text, encoding, segments)
    submits = await seen(smsc, segments)
    parts = sorted((text_of(submit) for submit in submits), key=lambda found: found[1].number)
    assert "".join(piece for piece, _ in parts) == text
    assert [(part.number, part.total) for _, part in parts] == [(n, segments) for n in range(1, segments + 1)]
    assert len({part.reference for _, part in parts}) == 1
    assert outcome == Accepted(tuple(submit["ref"] for submit in submits))
    receipts = [await channel.receipts.get() for _ in range(segments)]
    assert {receipt.refs[0] for receipt in receipts} == set(outcome.provider_refs)


async def test_separate_binds_carry_submits_one_way_and_receipts_the_other(smsc, ours):
    channel = await ours(mode="separate")
    outcome = await channel.send("both ways", "gsm7", 1)
    assert isinstance(outcome, Accepted)
    submit = await smsc.json_with("submit")
    assert text_of(submit) == ("both ways", None)


async def test_a_wrong_password_is_named_by_the_connection_test(smsc):
    steps = await Ours(smsc.port, password="wrong").channel.test()
    assert [step.ok for step in steps][-1] is False
    assert "ESME_RINVPASWD" in steps[-1].detail or "password" in steps[-1].detail
    steps = await Ours(smsc.port).channel.test()
    assert all(step.ok for step in steps), steps
