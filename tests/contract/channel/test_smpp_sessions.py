"""SMPP sessions against a scripted SMSC: binds, unbinds, timers, faults, TLS, probes."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.contract.channel.peers import Smsc
from tests.contract.channel.rig import SECRET, Rig, attempt
from tests.contract.channel.smpp_rig import bound

from loa.channels.registry import OWN
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Unknown
from loa.errors import ConfigError
from loa.ports.probe import Point
from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp.codec import encode


async def test_a_bind_says_who_we_are_and_a_stop_unbinds():
    async with bound(system_type="T", window=3) as (smsc, rig):
        (bind,) = smsc.binds
        assert (bind.command_id, bind.system_id, bind.password, bind.system_type) == (
            c.BIND_TRANSCEIVER,
            "esme",
            SECRET,
            "T",
        )
        await rig.channel.stop(1)
        assert [type(pdu) for pdu in smsc.others] == [p.Unbind]
        assert smsc.sessions[0].closed or smsc.sessions[0].transport.is_closing()


async def test_the_peer_is_asked_whether_it_lives_and_dropped_when_it_is_silent():
    async with bound(enquire_link_s=0.05, response_timeout_s=0.1) as (smsc, _rig):
        await smsc.watch.until(lambda: sum(isinstance(pdu, p.EnquireLink) for pdu in smsc.others) >= 3)
        assert len(smsc.sessions) == 1
        smsc.take = lambda session, pdu: None
        await smsc.watch.until(lambda: len(smsc.sessions) == 2)


async def test_our_answer_to_enquire_link_does_not_wait_for_receipts():
    async with bound() as (smsc, rig):
        rig.acknowledge = None
        smsc.receipt("1")
        smsc.sessions[0].ask(p.EnquireLink())
        await smsc.watch.until(lambda: any(isinstance(pdu, p.EnquireLinkResp) for pdu in smsc.others))
        assert not smsc.acks


async def test_an_unbind_of_the_peer_is_answered_and_the_link_comes_back():
    async with bound() as (smsc, _rig):
        smsc.sessions[0].ask(p.Unbind())
        await smsc.watch.until(lambda: any(isinstance(pdu, p.UnbindResp) for pdu in smsc.others))
        await smsc.watch.until(lambda: len(smsc.binds) == 2)


async def test_an_unknown_command_is_refused_and_the_session_goes_on():
    async with bound() as (smsc, rig):
        smsc.sessions[0].raw(encode(p.UnknownPdu(0x0777, 0, 99, b"what")))
        await smsc.watch.until(lambda: smsc.nacks)
        assert (smsc.nacks[0].sequence, smsc.nacks[0].status) == (99, 0x03)
        assert await rig.outcome_of(attempt(1)) == Accepted(("1",))
        assert len(smsc.sessions) == 1


async def test_an_absurd_length_closes_the_link_after_a_nack():
    async with bound() as (smsc, _rig):
        smsc.sessions[0].raw(bytes.fromhex("7fffffff 00000005 00000000 00000011"))
        await smsc.watch.until(lambda: smsc.sessions[0].closed)
        assert smsc.nacks[0].sequence == 0x11
        await smsc.watch.until(lambda: len(smsc.binds) == 2)


@pytest.mark.parametrize("size", [1, 7, 10])
async def test_pdus_cut_into_small_pieces_are_read_whole(size):
    async with bound() as (smsc, rig):

        def in_pieces(session, submit):
            raw = encode(p.SubmitSmResp(submit.sequence, 0, "abc"))
            for start in range(0, len(raw), size):
                session.raw(raw[start : start + size])

        smsc.on_submit = in_pieces
        assert await rig.outcome_of(attempt(1)) == Accepted(("abc",))


async def test_a_bind_that_is_refused_is_told_and_tried_again():
    smsc = Smsc()
    smsc.on_bind = smsc.refuse_bind(0x0E)
    async with bound(smsc, ready=False) as (smsc, rig):
        await smsc.watch.until(lambda: len(smsc.binds) >= 2)
        await rig.watch.until(lambda: "ESME_RINVPASWD" in rig.channel.status().detail)
        assert not rig.channel.status().ready
        assert rig.channel.free(0) == 0
        smsc.on_bind = smsc.accept_bind
        await rig.until_free()


async def test_a_bind_without_an_answer_is_given_up():
    smsc = Smsc()
    smsc.on_bind = smsc.silent
    async with bound(smsc, ready=False, bind_timeout_s=0.1) as (smsc, _rig):
        await smsc.watch.until(lambda: len(smsc.sessions) >= 2)
        await smsc.watch.until(lambda: smsc.sessions[0].closed)


async def test_separate_sessions_send_on_one_and_receive_on_the_other():
    async with bound(mode="separate") as (smsc, rig):
        await smsc.watch.until(lambda: len(smsc.binds) == 2)
        assert {bind.command_id for bind in smsc.binds} == {c.BIND_TRANSMITTER, c.BIND_RECEIVER}
        await rig.watch.until(lambda: rig.channel.status().links_up == 2)
        assert await rig.outcome_of(attempt(1)) == Accepted(("1",))
        smsc.receipt("1")
        (receipt,) = await rig.received()
        assert receipt.state is State.DELIVERED
        assert [step.ok for step in await rig.channel.test()] == [True] * 12


async def test_a_stop_waits_for_answers_that_come_in_time():
    async with bound() as (smsc, rig):
        smsc.on_submit = smsc.silent
        rig.submit(attempt(1), attempt(2))
        await smsc.watch.until(lambda: len(smsc.submits) == 2)
        stopping = asyncio.create_task(rig.channel.stop(10))
        await asyncio.sleep(0)
        rig.submit(attempt(3))
        smsc.accept(smsc.sessions[0], smsc.submits[0])
        smsc.accept(smsc.sessions[0], smsc.submits[1])
        await stopping
        assert {each.message_id: outcome for each, outcome in rig.outcomes} == {
            1: Accepted(("1",)),
            2: Accepted(("2",)),
            3: Deferred("link_down", counts=False),
        }
        assert isinstance(smsc.others[-1], p.Unbind)


async def test_a_test_goes_step_by_step_and_stops_where_it_fails():
    async with bound() as (smsc, rig):
        steps = await rig.channel.test()
        assert [(step.name, step.ok) for step in steps] == [
            (name, True) for name in ("resolve", "connect", "tls", "bind", "enquire_link", "unbind")
        ]
        smsc.on_bind = smsc.refuse_bind(0x0E)
        steps = await rig.channel.test()
        assert [(step.name, step.ok) for step in steps][-1] == ("bind", False)
        assert "ESME_RINVPASWD" in steps[-1].detail
    steps = await rig.channel.test()
    assert (steps[-1].name, steps[-1].ok) == ("connect", False)
    assert "refused" in steps[-1].detail


class Noting:
    """A probe that notes what had reached the peer when a point was reached."""

    def __init__(self, point):
        self.point = point
        self.at = []

    def armed(self, point):
        return point is self.point

    def reached(self, point):
        self.at.append(point)


@pytest.mark.parametrize("point", [Point.LINK_HALF_WRITTEN, Point.LINK_WRITTEN])
async def test_an_armed_probe_stands_at_the_writing_of_a_batch_and_nothing_is_lost(point):
    probe = Noting(point)
    async with bound(probe=probe) as (_smsc, rig):
        rig.submit(attempt(1), attempt(2))
        assert probe.at == [point]
        await rig.settled(2)
        assert {outcome for _, outcome in rig.outcomes} == {Accepted(("1",)), Accepted(("2",))}


async def test_half_of_the_octets_have_left_when_the_probe_stands_between_the_halves():
    class Cutting(Noting):
        def reached(self, point):
            super().reached(point)
            if point is Point.LINK_HALF_WRITTEN:
                rig.channel._keepers[0].link.abort("cut by the test")

    async with bound(probe=Cutting(Point.LINK_HALF_WRITTEN)) as (smsc, rig):
        before = smsc.octets
        outcome = await rig.outcome_of(attempt(1))
        assert outcome == Unknown("link_lost", ("",))
        await smsc.watch.until(lambda: smsc.octets > before)
        assert not smsc.submits


async def test_a_receipt_is_probed_before_it_is_offered():
    probe = Noting(Point.RECEIPT_READ)
    async with bound(probe=probe) as (smsc, rig):
        smsc.receipt("1")
        await rig.received()
        assert probe.at == [Point.RECEIPT_READ]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "smsc.test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("smsc.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


async def test_tls_is_checked_against_our_certificates_and_the_server_name(certificate):
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    files = {"tls": True, "tls_ca_file": str(certificate / "cert.pem")}
    async with bound(server_tls=server, tls_server_name="smsc.test", **files) as (smsc, rig):
        assert await rig.outcome_of(attempt(1)) == Accepted(("1",))
        steps = {step.name: step for step in await rig.channel.test()}
        assert "TLSv1.3" in steps["tls"].detail
    async with bound(server_tls=server, tls_server_name="other.test", ready=False, **files) as (smsc, rig):
        await rig.watch.until(lambda: "certificate not trusted" in rig.channel.status().detail)
        steps = await rig.channel.test()
        assert (steps[-1].name, steps[-1].ok) == ("tls", False)
        assert not smsc.binds
    async with bound(server_tls=server, tls=True, tls_verify=False) as (smsc, rig):
        assert await rig.outcome_of(attempt(1)) == Accepted(("1",))


def test_a_tls_file_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="TLS file"):
        Rig(OWN["smpp"], {"host": "h", "system_id": "s", "tls": True, "tls_ca_file": "/nowhere/ca.pem"})


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b"])
async def test_a_name_that_does_not_resolve_is_told_and_tried_again(host):
    async with bound(ready=False, host=host) as (_, rig):
        await rig.watch.until(lambda: "host name not found" in rig.channel.status().detail)
        (step,) = await rig.channel.test()
        assert (step.name, step.ok, step.detail) == ("resolve", False, "host name not found")
