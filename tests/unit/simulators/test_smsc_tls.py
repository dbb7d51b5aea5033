import asyncio
import datetime as dt
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.unit.simulators.sim_client import Client, submit

from loa.smpp.commands import BIND_TRANSCEIVER
from loa.smpp.pdu import BindRequest, DeliverSm


@pytest.fixture
def certificate(tmp_path):
    """Write a certificate for localhost that vouches for itself, with its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(pem))
    return path


async def test_a_session_over_tls_is_like_any_other_and_can_be_cut(smsc, certificate):
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    simulator = await smsc({"tls": server})
    trust = ssl.create_default_context(cafile=certificate)
    client = Client(*await asyncio.open_connection("127.0.0.1", simulator.port, ssl=trust, server_hostname="localhost"))
    assert (await client.ask(BindRequest(BIND_TRANSCEIVER, system_id="esme"))).status == 0
    assert (await client.ask(submit())).status == 0
    assert isinstance(await client.next_request(), DeliverSm)
    assert simulator.reset_all() == 1
    await client.ended()
    await simulator.until(lambda counts: counts.connections == 0)
    await client.close()
