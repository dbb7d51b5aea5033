"""Which addresses are not for callbacks: everything that is not plainly public, each with the name of its kind. Pure.

Source: IANA special-purpose address registries for IPv4 and IPv6. Written out here instead of asking the standard
library, whose idea of "global" has changed between patch releases.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_NOT_PUBLIC = {
    "unspecified": "0.0.0.0/8 ::/128",
    "loopback": "127.0.0.0/8 ::1/128",
    "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
    "shared": "100.64.0.0/10",
    "link_local": "169.254.0.0/16 fe80::/10",
    "protocol": "192.0.0.0/24",
    "documentation": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
    "benchmarking": "198.18.0.0/15 2001:2::/48",
    "multicast": "224.0.0.0/4 ff00::/8",
    "reserved": "240.0.0.0/4",
    "mapped": "::ffff:0:0/96",
    "nat64": "64:ff9b::/96 64:ff9b:1::/48",
    "6to4": "192.88.99.0/24 2002::/16",
    "teredo": "2001::/32",
    "protocol6": "2001::/23",
    "discard": "100::/64",
}
_KINDS: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(text), kind) for kind, texts in _NOT_PUBLIC.items() for text in texts.split()
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")


@lru_cache(maxsize=4096)
def kind_of(text: str) -> str:
    """Name the kind of an address that is not public, "" for a public one; what is no address is `malformed`."""
    try:
        address = ip_address(text)
    except ValueError:
        return "malformed"
    for network, kind in _KINDS:
        if address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "reserved"
    return ""


def within(text: str, networks: Sequence[Network]) -> bool:
    """Tell whether an address lies in one of the networks. An IPv4 address in IPv6 clothes lies in none."""
    address: IPv4Address | IPv6Address = ip_address(text)
    return any(address in network for network in networks)
