"""The outbound guard: which URLs and addresses callbacks may go to."""

import socket

import pytest

from loa.notify.guard import (
    BlockedAddress,
    GuardedResolver,
    GuardPolicy,
    SystemLookup,
    url_check,
)
from loa.notify.networks import kind_of

STRICT = GuardPolicy()
HOUSE = GuardPolicy.of(allow_http=True, ports=(), allow_networks=("10.20.0.0/16", "fd00:1::/32"))


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("10.0.0.1", "private"),
        ("100.64.0.1", "shared"),
        ("100.127.255.255", "shared"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("169.254.169.254", "link_local"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.192", "protocol"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4"),
        ("192.168.1.1", "private"),
        ("198.18.0.1", "benchmarking"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::7f00:1", "reserved"),
        ("::ffff:127.0.0.1", "mapped"),
        ("::ffff:8.8.8.8", "mapped"),
        ("64:ff9b::7f00:1", "nat64"),
        ("64:ff9b:1::a00:1", "nat64"),
        ("100::1", "discard"),
        ("2001::1", "teredo"),
        ("2001:2::1", "benchmarking"),
        ("2001:20::1", "protocol6"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4"),
        ("3fff::1", "documentation"),
        ("5f00::1", "reserved"),
        ("fc00::1", "private"),
        ("fd12:3456::1", "private"),
        ("fe80::1", "link_local"),
        ("fe80::1%eth0", "link_local"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("127.1", "malformed"),
        ("2130706433", "malformed"),
        ("", "malformed"),
    ],
)
def test_an_address_that_is_not_public_is_refused_by_its_kind(address, kind):
    assert kind_of(address) == kind
    assert STRICT.refusal(address) == kind


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2001:4860::8"]
)
def test_public_addresses_pass(address):
    assert STRICT.refusal(address) == ""


def test_the_admin_may_allow_networks_of_the_house_and_nothing_beside_them():
    assert HOUSE.refusal("10.20.3.4") == ""
    assert HOUSE.refusal("fd00:1::5") == ""
    assert HOUSE.refusal("10.21.0.1") == "private"
    assert HOUSE.refusal("::ffff:10.20.3.4") == "mapped"
    assert HOUSE.refusal("127.0.0.1") == "loopback"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.vn/hook", ""),
        ("https://example.vn:8443/hook?a=1", ""),
        ("https://bücher.example/", ""),
        ("https://8.8.8.8/", ""),
        ("https://[2606:4700::1111]/", ""),
        ("https://my-localhost.example/", ""),
        ("http://example.vn/", "scheme"),
        ("ftp://example.vn/", "scheme"),
        ("file:///etc/passwd", "malformed"),
        ("//example.vn/", "scheme"),
        ("example.vn/hook", "malformed"),
        ("", "malformed"),
        ("https://", "malformed"),
        ("https:///path", "malformed"),
        ("https://example.vn:99999/", "malformed"),
        ("https://exa mple.vn/", "malformed"),
        ("https://example.vn\\@10.0.0.1/", "malformed"),
        ("https://example.vn/\r\nHost: x", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://example.vn/" + "a" * 2048, "malformed"),
        ("https://user:pw@example.vn/", "credentials"),
        ("https://user@example.vn/", "credentials"),
        ("https://example.vn:22/", "port"),
        ("https://example.vn:80/", "port"),
        ("https://127.0.0.1/", "loopback"),
        ("https://localhost/", "loopback"),
        ("https://LOCALHOST./", "loopback"),
        ("https://api.localhost/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:169.254.169.254]/", "mapped"),
        ("https://169.254.169.254/latest/meta-data", "link_local"),
        ("https://2130706433/", "malformed"),
        ("https://0x7f000001/", "malformed"),
        ("https://0x7f.1/", "malformed"),
        ("https://0177.0.0.1/", "malformed"),
        ("https://127.1/", "malformed"),
        ("https://10.0.0.1./", "malformed"),
        ("https://example.123/", "malformed"),
    ],
)
def test_a_url_is_checked_by_its_text(url, reason):
    assert url_check(url, STRICT) == reason


@pytest.mark.parametrize("host", ["１２７.０.０.１", "①②⑦.⓪.⓪.①", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "127。0。0。1"])
def test_look_alike_hosts_do_not_slip_through(host):
    assert url_check(f"https://{host}/", STRICT) in {"loopback", "malformed"}


def test_plain_http_brings_port_80_when_it_is_allowed():
    policy = GuardPolicy.of(allow_http=True, ports=(443, 8443), allow_networks=())
    assert url_check("http://example.vn/", policy) == ""
    assert url_check("http://example.vn:8443/", policy) == ""
    assert url_check("http://example.vn:8080/", policy) == "port"
    assert url_check("https://example.vn:80/", policy) == "port"
    assert url_check("http://10.20.1.1:9/", HOUSE) == ""


def fixed(*addresses):
    async def lookup(host, port):
        return addresses

    return lookup


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("2606:4700::1111", "::1")])
async def test_a_name_is_refused_when_any_of_its_addresses_is(addresses):
    with pytest.raises(BlockedAddress):
        await GuardedResolver(STRICT, fixed(*addresses)).resolve("example.vn", 443)


async def test_a_name_with_public_addresses_gives_them_all():
    found = await GuardedResolver(STRICT, fixed("8.8.8.8", "2606:4700::1111")).resolve("example.vn", 443)
    assert found == ["8.8.8.8", "2606:4700::1111"]


async def test_a_name_without_addresses_cannot_be_resolved():
    with pytest.raises(OSError, match="no address"):
        await GuardedResolver(STRICT, fixed()).resolve("example.vn", 443)


async def test_the_systems_lookup_knows_literals_and_refuses_impossible_names():
    lookup = SystemLookup(threads=1)
    assert list(await lookup("127.0.0.1", 443)) == ["127.0.0.1"]
    with pytest.raises(socket.gaierror):
        await lookup("a" * 64 + ".example", 443)
    lookup.close()


def test_only_allowed_addresses_are_admitted():
    with pytest.raises(BlockedAddress, match="link_local"):
        HOUSE.admit("169.254.169.254")
    HOUSE.admit("10.20.0.1")
