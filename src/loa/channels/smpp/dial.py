"""Opening a connection to an SMSC: TLS settings, and a trial that tells step by step how far it gets."""

import asyncio
import socket
import ssl

from loa.channels.smpp.settings import SmppSettings
from loa.errors import ConfigError
from loa.ports.channel import Step
from loa.smpp import pdu as p
from loa.smpp.session import Session, Side
from loa.smpp.status import ESME_RX_T_APPN, status_name

_CHUNK = 65_536


def tls_context(settings: SmppSettings) -> ssl.SSLContext | None:
    """Make the TLS side of the connection, None for plain text. Errors: ConfigError when a file cannot be used."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file or None)
        if settings.tls_cert_file:
            context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file or None)
    except OSError as wrong:
        raise ConfigError(
            f"smpp: a TLS file cannot be used: {wrong}; check the paths and what is in them", fault="tls_file"
        ) from wrong
    if not settings.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def server_name(settings: SmppSettings) -> str | None:
    """Give the name that the peer's certificate must bear, None without TLS."""
    return (settings.tls_server_name or settings.host) if settings.tls else None


def why(error: BaseException) -> str:
    """Say in a few stable words why a connection failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or 'peer closed'}"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "host name not found"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    return f"connection failed: {getattr(error, 'strerror', None) or type(error).__name__}"


class _Broken(Exception):
    """A step of the trial failed; the words are for people."""


class Trial:
    """One connection apart from the live links: resolve, connect, TLS, bind, a round trip, unbind."""

    def __init__(self, settings: SmppSettings, bind: int) -> None:
        self._settings = settings
        self._bind = bind
        self._steps: list[Step] = []
        self._session = Session(Side.CLIENT)

    async def run(self) -> list[Step]:
        """Go as far as it goes; the last step of the list failed, or all worked."""
        writer: asyncio.StreamWriter | None = None
        name = "resolve"
        try:
            async with asyncio.timeout(self._settings.bind_timeout_s):
                host = await self._resolve()
                name = "connect"
                reader, writer = await self._connect(host)
                name = "tls"
                await self._secure(writer)
                name = "bind"
                await self._talk(reader, writer)
        except (OSError, TimeoutError, UnicodeError) as error:
            self._steps.append(Step(self._next(name), False, why(error)))
        except _Broken as broken:
            self._steps.append(Step(self._next(name), False, str(broken)))
        finally:
            if writer is not None:
                writer.transport.abort()
        return self._steps

    def _next(self, name: str) -> str:
        """Name the step that failed: within the talk, the one after the last that worked."""
        order = ("bind", "enquire_link", "unbind")
        done = {step.name for step in self._steps}
        return next((step for step in order if step not in done), name) if name == "bind" else name

    async def _resolve(self) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(
            self._settings.host, self._settings.port, type=socket.SOCK_STREAM
        )
        address = str(found[0][4][0])
        self._steps.append(Step("resolve", True, address))
        return address

    async def _connect(self, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(host, self._settings.port)
        self._steps.append(Step("connect", True, f"{host} port {self._settings.port}"))
        return reader, writer

    async def _secure(self, writer: asyncio.StreamWriter) -> None:
        context = tls_context(self._settings)
        if context is None:
            risk = "plain text over what looks like a public network: turn tls on or use a private line"
            self._steps.append(Step("tls", True, risk if self._settings.plain_text_risk else "off"))
            return
        await writer.start_tls(context, server_hostname=server_name(self._settings))
        tls = writer.get_extra_info("ssl_object")
        self._steps.append(Step("tls", True, f"{tls.version()} {tls.cipher()[0]}"))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        settings = self._settings
        bind = p.BindRequest(
            self._bind,
            system_id=settings.system_id,
            password=settings.password,
            system_type=settings.system_type,
            address_range=settings.address_range,
        )
        answer = await self._ask(bind, reader, writer)
        if answer.status:
            raise _Broken(f"the SMSC refused the bind: {status_name(answer.status)}")
        peer = answer.system_id if isinstance(answer, p.BindResponse) else ""
        self._steps.append(Step("bind", True, f"bound to {peer}" if peer else "bound"))
        await self._ask(p.EnquireLink(), reader, writer)
        self._steps.append(Step("enquire_link", True, "answered"))
        await self._ask(p.Unbind(), reader, writer)
        self._steps.append(Step("unbind", True, "answered"))

    async def _ask(
        self, request: p.Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> p.Response | p.UnknownPdu:
        """Send one request and wait for its response; what the peer asks meanwhile is put off."""
        sequence, raw = self._session.request(request)
        writer.write(raw)
        while data := await reader.read(_CHUNK):
            reading = self._session.receive(data)
            put_off = [
                self._session.respond(p.DeliverSmResp(each.sequence, ESME_RX_T_APPN))
                for each in reading.requests
                if isinstance(each, p.DeliverSm)
            ]
            writer.write(reading.replies + b"".join(put_off))
            for response in reading.responses:
                if response.sequence == sequence:
                    return response
            if reading.broken:
                raise _Broken("the peer does not speak SMPP")
        raise _Broken("the peer closed the connection")
