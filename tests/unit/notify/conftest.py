"""A receiver on a real socket that answers as it is told, and senders that may reach it."""

import asyncio
import contextlib
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from loa.notify.guard import GuardPolicy
from loa.notify.poster import HttpCallbackSender
from loa.notify.signature import new_secret
from loa.ports.callback_sender import Posting

HOST = "127.0.0.2"
SECRET = new_secret()


def pytest_asyncio_loop_factories(config, item):
    """Run everything here on both event loops: the program's and the one of the standard library."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Receiver:
    """Reads whole requests and hands each, with its writer, to `answer`; keeps what it read.

    `ended` counts the connections that are over.
    """

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.connections = 0
        self.port = 0
        self.ended = asyncio.Semaphore(0)
        self._tasks = []

    async def start(self, tls=None, host=HOST, port=0):
        self._server = await asyncio.start_server(self._connected, host, port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def _connected(self, reader, writer):
        self.connections += 1
        self._tasks.append(asyncio.ensure_future(self._serve(reader, writer)))

    async def _serve(self, reader, writer):
        try:
            while await self._exchange(reader, writer) is not False:
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self.ended.release()

    async def _exchange(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((first, headers, body))
        return await self.answer(writer)

    async def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def say(status="200 OK", body=b"ok", *headers):
    """Make an answer: status, headers, body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]

    async def answer(writer):
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return answer


@pytest.fixture
async def receive():
    """Start receivers; they stop with the test."""
    started = []

    async def start(answer=None, **place):
        receiver = Receiver(answer or say())
        await receiver.start(**place)
        started.append(receiver)
        return receiver

    yield start
    for receiver in started:
        await receiver.stop()


@pytest.fixture
async def send():
    """Make posts through one sender; `send.addresses` answers for every name, `send.later` moves its clock on."""
    senders = []

    class Send:
        timeout_s = 5.0
        concurrency = 256
        later = 0.0
        allow = (f"{HOST}/32",)
        tls = None
        addresses = (HOST,)

        def __init__(self):
            self.looked_up = []

        async def lookup(self, host, port):
            self.looked_up.append(host)
            if isinstance(self.addresses, Exception):
                raise self.addresses
            return self.addresses

        def now(self):
            return time.monotonic() + self.later

        def sender(self):
            if not senders:
                policy = GuardPolicy.of(allow_http=True, ports=(), allow_networks=self.allow)
                senders.append(
                    HttpCallbackSender(
                        policy,
                        timeout_s=self.timeout_s,
                        concurrency=self.concurrency,
                        version="1.2.3",
                        lookup=self.lookup,
                        tls=self.tls,
                        now=self.now,
                    )
                )
            return senders[0]

        async def __call__(self, url, body=b'{"status":2}', secrets=(SECRET,), timestamp_s=1_794_000_000):
            return await self.sender().post(Posting("cb_01ARZ3", url, secrets, body, timestamp_s))

    yield Send()
    for sender in senders:
        await sender.close()


class Authority:
    """A certificate authority for one test run."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self._certificate = self._sign("Test authority", self._key.public_key(), 10, authority=True)

    def _sign(self, name, public_key, days_left, *, authority=False):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days_left))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def server(self, folder, name, days_left):
        """Make a server's TLS context with a certificate for `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        path = folder / f"{name}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + self._sign(name, key.public_key(), days_left).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def client(self):
        """Make a client's TLS context that trusts this authority."""
        pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def answer():
    return say
