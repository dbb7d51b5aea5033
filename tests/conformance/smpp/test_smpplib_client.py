"""A client that we did not write, smpplib, against our SMSC simulator. smpplib blocks, so it works in a thread."""

import asyncio

import pytest
from smpplib import consts, gsm
from smpplib.client import Client
from smpplib.exceptions import PDUError

from loa.simulators.pick import Pick
from loa.simulators.smsc.events import Shown
from loa.simulators.smsc.script import Refusal, Script
from loa.simulators.smsc.server import SmscSimulator

pytestmark = pytest.mark.conformance

LONG = "Xin chao quy khach, day la mot tin nhan dai. " * 8
LONG_VIETNAMESE = "Mã xác thực của quý khách là 123456. " * 5


class Foreign:
    """One smpplib client and what it was told."""

    def __init__(self, port):
        self._client = Client("127.0.0.1", port, timeout=10, allow_unknown_opt_params=True)
        self.responses, self.receipts = [], []
        self._client.set_message_sent_handler(self.responses_append)
        self._client.set_message_received_handler(self.receipts_append)

    def responses_append(self, pdu):
        self.responses.append(pdu)

    def receipts_append(self, pdu):
        self.receipts.append(pdu)

    def bind(self, kind, password="secret"):
        self._client.connect()
        return getattr(self._client, f"bind_{kind}")(system_id="smpplib", password=password)

    def send(self, text, encoding=consts.SMPP_ENCODING_DEFAULT):
        parts, coding, esm_class = gsm.make_parts(text, encoding)
        for part in parts:
            self._client.send_message(
                source_addr_ton=consts.SMPP_TON_ALNUM,
                source_addr="LOA",
                dest_addr_ton=consts.SMPP_TON_INTL,
                destination_addr="84912345678",
                short_message=part,
                data_coding=coding,
                esm_class=esm_class,
                registered_delivery=True,
            )
        return len(parts)

    def read(self, *, responses=0, receipts=0):
        while len(self.responses) < responses or len(self.receipts) < receipts:
            self._client.read_once()

    def leave(self):
        answer = self._client.unbind()
        self._client.disconnect()
        return answer

    def close(self):
        self._client.state = consts.SMPP_CLIENT_STATE_OPEN
        self._client.disconnect()


@pytest.fixture
async def smsc():
    shown = []
    simulator = SmscSimulator(on_event=lambda event: shown.append(event) if isinstance(event, Shown) else None)
    await simulator.start()
    simulator.shown = shown
    yield simulator
    await simulator.stop()


@pytest.fixture
async def foreign(smsc):
    started = []

    def make():
        started.append(Foreign(smsc.port))
        return started[-1]

    yield make
    for client in started:
        client.close()


@pytest.mark.parametrize("kind", ["transmitter", "receiver", "transceiver"])
async def test_it_binds_each_way_and_unbinds(smsc, foreign, kind):
    client = foreign()
    answer = await asyncio.to_thread(client.bind, kind)
    assert (answer.command, answer.status) == (f"bind_{kind}_resp", 0)
    assert smsc.counts.links == 1
    assert (await asyncio.to_thread(client.leave)).command == "unbind_resp"
    await smsc.until(lambda counts: counts.connections == 0)
    assert smsc.counts.unbinds == 1


async def test_it_understands_a_refused_bind(smsc, foreign):
    smsc.change(Script(password="other"))
    with pytest.raises(PDUError) as refused:
        await asyncio.to_thread(foreign().bind, "transceiver")
    assert refused.value.args[1] == consts.SMPP_ESME_RINVPASWD


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("Hello {world}", consts.SMPP_ENCODING_DEFAULT, 1),
        ("Mã của bạn là 123456", consts.SMPP_ENCODING_ISO10646, 1),
        (LONG, consts.SMPP_ENCODING_DEFAULT, 3),
        (LONG_VIETNAMESE, consts.SMPP_ENCODING_ISO10646, 3),
    ],
)
async def test_its_messages_reach_the_handset_whole_and_their_receipts_come_back(smsc, foreign, text, encoding, parts):
    client = foreign()
    await asyncio.to_thread(client.bind, "transceiver")
    assert await asyncio.to_thread(client.send, text, encoding) == parts
    await asyncio.to_thread(client.read, responses=parts, receipts=parts)
    assert [shown.text for shown in smsc.shown] == [text]
    ids = {pdu.message_id.decode() for pdu in client.responses}
    assert len(ids) == parts
    assert {pdu.receipted_message_id.decode() for pdu in client.receipts} == ids
    assert all(f"id:{pdu.receipted_message_id.decode()} ".encode() in pdu.short_message for pdu in client.receipts)
    assert {pdu.message_state for pdu in client.receipts} == {consts.SMPP_MESSAGE_STATE_DELIVERED}
    await smsc.until(lambda counts: counts.receipts_acked == parts)


async def test_its_transmitter_sends_and_its_receiver_is_told(smsc, foreign):
    transmitter, receiver = foreign(), foreign()
    await asyncio.to_thread(transmitter.bind, "transmitter")
    await asyncio.to_thread(receiver.bind, "receiver")
    await asyncio.to_thread(transmitter.send, "hello")
    await asyncio.to_thread(transmitter.read, responses=1)
    await asyncio.to_thread(receiver.read, receipts=1)
    assert receiver.receipts[0].receipted_message_id == transmitter.responses[0].message_id


async def test_it_understands_throttling_and_vendor_statuses(smsc, foreign):
    refusals = (Refusal(Pick(numbers=(1,)), consts.SMPP_ESME_RTHROTTLED), Refusal(Pick(numbers=(2,)), 0x401))
    smsc.change(Script(refuse=refusals))
    client = foreign()
    await asyncio.to_thread(client.bind, "transceiver")
    statuses = []
    client._client.set_error_pdu_handler(lambda pdu: statuses.append(pdu.status))
    await asyncio.to_thread(client.send, "one")
    await asyncio.to_thread(client.send, "two")
    await asyncio.to_thread(client.read, responses=2)
    assert statuses == [consts.SMPP_ESME_RTHROTTLED, 0x401]


@pytest.mark.parametrize("octets", [1, 7, 10])
async def test_it_reads_what_arrives_in_slices(smsc, foreign, octets):
    smsc.change(Script(slice_octets=octets))
    client = foreign()
    await asyncio.to_thread(client.bind, "transceiver")
    await asyncio.to_thread(client.send, "sliced")
    await asyncio.to_thread(client.read, responses=1, receipts=1)
    assert client.receipts[0].receipted_message_id == client.responses[0].message_id
