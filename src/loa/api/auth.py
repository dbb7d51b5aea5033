"""Who is calling: from a key and an address to a principal, with one and the same answer for every failure.

A key in our own form is refused by its checksum before anything is looked up. Keys of other forms are looked up only
where an admin has imported some.
"""

import ipaddress
from collections.abc import Iterable

from loa.domain import keys
from loa.errors import Forbidden, Unauthorised
from loa.stages.registry import Principal, Registry

KEY_HEADER = b"api-key"


class Authenticator:
    """Recognises callers by the registry's present snapshot."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def principal(self, key: str | None, address: str | None) -> Principal:
        """Give the caller with this key.

        Errors: Unauthorised, without a word on whether the key is missing, malformed, unknown, expired, revoked or used
        from outside its networks.
        """
        if not key or not self._worth_a_look(key):
            raise Unauthorised
        found = self._registry.principal(keys.digest(key))
        if found is None or not _inside(found, address):
            raise Unauthorised
        self._registry.note_used(found.key.id)
        return found

    def from_headers(self, headers: Iterable[tuple[bytes, bytes]], address: str | None) -> Principal:
        """Give the caller by the API-KEY header; two such headers are as good as none. Errors: Unauthorised."""
        given = [value for name, value in headers if name == KEY_HEADER]
        return self.principal(given[0].decode("latin-1") if len(given) == 1 else None, address)

    def _worth_a_look(self, key: str) -> bool:
        return keys.well_formed(key) or (self._registry.snapshot.takes_imported_keys and keys.importable(key))


def require(principal: Principal, permission: keys.Permission) -> None:
    """Let only keys with a permission pass. Errors: Forbidden."""
    if permission.value not in principal.key.permissions:
        raise Forbidden("forbidden", f"the key lacks {permission.value}")


def _inside(principal: Principal, address: str | None) -> bool:
    if principal.networks is None:
        return True
    try:
        caller = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None)
    return any((mapped or caller) in network for network in principal.networks)
