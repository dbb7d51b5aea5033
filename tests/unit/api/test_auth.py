"""Recognising callers: the checksum first, one answer for every failure, addresses as they come."""

from typing import Any

import pytest
from tests.support.native_api import House

from loa.api.auth import Authenticator, require
from loa.domain.keys import Permission, keep, mint
from loa.errors import Forbidden, Unauthorised


class _Counting:
    """A registry that counts how often it is asked."""

    def __init__(self, house: House) -> None:
        self._registry = house.registry
        self.snapshot = house.registry.snapshot
        self.asked = 0

    def principal(self, digest: bytes) -> Any:
        self.asked += 1
        return self._registry.principal(digest)

    def note_used(self, key_id: int) -> None:
        self._registry.note_used(key_id)


async def test_a_mistyped_key_is_refused_before_anything_is_looked_up(house: House) -> None:
    registry: Any = _Counting(house)
    authenticator = Authenticator(registry)
    for key in ("", "x" * 40, house.key[:-1], house.key + "0", house.key.swapcase(), mint(live=True).secret[:-1] + "!"):
        with pytest.raises(Unauthorised):
            authenticator.principal(key, "127.0.0.1")
    assert registry.asked == 0
    with pytest.raises(Unauthorised):
        authenticator.principal(mint(live=True).secret, "127.0.0.1")
    assert authenticator.principal(house.key, "127.0.0.1").tenant_id == house.tenant.id
    assert registry.asked == 2


async def test_two_keys_in_one_request_are_as_good_as_none(house: House) -> None:
    authenticator = Authenticator(house.registry)
    header = (b"api-key", house.key.encode())
    assert authenticator.from_headers([(b"accept", b"*/*"), header], None).tenant_id == house.tenant.id
    for headers in ([], [header, header], [(b"authorization", b"Bearer " + house.key.encode())]):
        with pytest.raises(Unauthorised):
            authenticator.from_headers(headers, None)


@pytest.mark.parametrize(
    ("network", "address", "inside"),
    [
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3/8", "10.9.9.9", True),
        ("10.0.0.0/8", "::ffff:10.0.0.1", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("::/0", "10.0.0.1", False),
        ("0.0.0.0/0", "not an address", False),
        ("0.0.0.0/0", None, False),
    ],
)
async def test_a_key_is_used_from_inside_its_networks_or_not_at_all(
    house: House, network: str, address: str | None, inside: bool
) -> None:
    key = await house.new_key(frozenset({"send"}), networks=(network,))
    authenticator = Authenticator(house.registry)
    if inside:
        assert authenticator.principal(key, address).tenant_id == house.tenant.id
    else:
        with pytest.raises(Unauthorised):
            authenticator.principal(key, address)


async def test_a_failed_attempt_is_no_use_of_the_key(house: House) -> None:
    key = await house.new_key(frozenset({"send"}), networks=("10.0.0.0/8",))
    with pytest.raises(Unauthorised):
        Authenticator(house.registry).principal(key, "127.0.0.1")
    await house.registry.flush_used()
    assert [each.last_used_at for each in await house.ledger.keys() if each.digest == keep(key).digest] == [None]


async def test_a_permission_is_needed_by_its_own_name(house: House) -> None:
    reader = await house.new_key(frozenset({"read:messages"}))
    principal = Authenticator(house.registry).principal(reader, None)
    require(principal, Permission.READ_MESSAGES)
    for permission in set(Permission) - {Permission.READ_MESSAGES}:
        with pytest.raises(Forbidden):
            require(principal, permission)
