"""The outbound address guard: a tenant's URL must not make Loa talk to the house it stands in.

Three walls, each enough for what it sees: `url_check` reads the URL when an endpoint is saved and before every post;
`GuardedResolver` refuses a name when any of its addresses is not public; `GuardPolicy.admit` looks at the very address
that is about to be connected to, so a name that changes its mind between two look-ups gains nothing.
docs/explain/outbound-guard.md tells the story.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_network

from yarl import URL

from loa.notify.networks import Network, kind_of, within

URL_CHARS_MAX = 2_048
_NUMERIC_HOST = re.compile(r"(?:.*\.)?(?:0[xX][0-9a-fA-F]*|[0-9]+)\.?")
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")
URL_REASONS = frozenset({"malformed", "scheme", "credentials", "port"})
"""What `url_check` may say of the URL's form; every other answer is the kind of a refused address."""

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a name. Errors: OSError."""


class BlockedAddress(OSError):
    """The address may not be connected to."""


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """What the admin allows. Empty `ports` means any; `allow_networks` lie inside the house and are allowed anyway."""

    allow_http: bool = False
    ports: tuple[int, ...] = (443, 8443)
    allow_networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, *, allow_http: bool, ports: Sequence[int], allow_networks: Sequence[str]) -> "GuardPolicy":
        """Make a policy of plain settings."""
        return cls(allow_http, tuple(ports), tuple(ip_network(text) for text in allow_networks))

    def refusal(self, address: str) -> str:
        """Name the kind of an address that may not be connected to, "" when it may."""
        kind = kind_of(address)
        if kind in ("", "malformed"):
            return kind
        return "" if within(address, self.allow_networks) else kind

    def admit(self, address: str) -> None:
        """Let an address be connected to.

        Errors: BlockedAddress.
        """
        kind = self.refusal(address)
        if kind:
            raise BlockedAddress(f"the address is not allowed: {kind}")

    def takes_port(self, scheme: str, port: int | None) -> bool:
        """Tell whether a port may be used; plain http brings its own port 80."""
        return port is not None and (not self.ports or port in self.ports or (scheme == "http" and port == 80))


def parse_url(url: str) -> URL | None:
    """Read a URL as the client will, None when it is no absolute URL."""
    if len(url) > URL_CHARS_MAX or _UNFIT.search(url):
        return None
    try:
        parsed = URL(url)
        return parsed if parsed.absolute and parsed.raw_host else None
    except ValueError:
        return None


def url_check(url: str, policy: GuardPolicy) -> str:
    """Tell why callbacks may not go to a URL, "" when they may: one of URL_REASONS or the kind of its address.

    Looks at the text alone: a name is resolved, and checked, only when something is posted.
    """
    parsed = parse_url(url)
    if parsed is None:
        return "malformed"
    if parsed.scheme != "https" and not (policy.allow_http and parsed.scheme == "http"):
        return "scheme"
    if parsed.raw_user is not None or parsed.raw_password is not None:
        return "credentials"
    if not policy.takes_port(parsed.scheme, parsed.port):
        return "port"
    return _host_check(parsed.raw_host or "", policy)


def _host_check(host: str, policy: GuardPolicy) -> str:
    if f".{host.rstrip('.')}".endswith(".localhost") and not policy.allow_networks:
        return "loopback"
    if ":" not in host and not _NUMERIC_HOST.fullmatch(host):
        return ""
    return policy.refusal(host)


class SystemLookup:
    """Asks the system's resolver on threads of its own, so that slow name servers of tenants hold up nothing else."""

    def __init__(self, threads: int = 32) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="loa-names")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Look a name up."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _ask_system, host, port)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _ask_system(host: str, port: int) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "the name cannot be looked up") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedResolver:
    """Resolves a name, or refuses it when any of its addresses is not allowed."""

    def __init__(self, policy: GuardPolicy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup

    async def resolve(self, host: str, port: int) -> list[str]:
        """Give the checked addresses of a name.

        Errors: BlockedAddress; OSError when there is none.
        """
        addresses = list(await self._lookup(host, port))
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        for address in addresses:
            self._policy.admit(address)
        return addresses
