"""Secrets at rest: which master keys a ledger is sealed with, and how it comes under another one.

A ledger names the key that seals; a process has keys by id. To change it: name another, bring every value under it
step by step, and say that it is done. Each call is one commit, so it may be broken off after any of them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class KeyUse(IntEnum):
    """What a ledger does with a master key."""

    FORMER = 0
    """It sealed values once; none of them is left."""
    REPLACED = 1
    """Another one seals now; some values may still lie under it."""
    CURRENT = 2
    """It seals."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """A master key as the ledger knows it. `since`: when it was named, for the current one only. Units: ms."""

    use: KeyUse
    since: int = 0

    def written(self) -> int:
        """Write it as one number: the current key by when it was named."""
        return max(self.since, KeyUse.CURRENT) if self.use is KeyUse.CURRENT else self.use


@dataclass(frozen=True, slots=True)
class Resealed:
    """What one step did: values brought under the current key, and such as do not open and were left alone."""

    done: int
    damaged: int


class Sealing(Protocol):
    """The master keys of a ledger. A place is table and column, as in `endpoint.secrets`."""

    async def master_keys(self) -> Mapping[str, KeyState]:
        """Give the master keys by id."""
        ...

    async def sealed_counts(self) -> Mapping[str, Mapping[str, int]]:
        """Count by place, and by key id, the values that lie there; the plain ones under ""."""
        ...

    async def use_master_key(self, key_id: str, now: int) -> None:
        """Seal with another key from now on; the one before counts as replaced. Errors: CannotOpen without it."""
        ...

    async def reseal(self, place: str, skip: int, limit: int) -> Resealed:
        """Bring the next values of a place under the current key, after `skip` that are left alone.

        Errors: CannotOpen when the key of one of them is not here.
        """
        ...

    async def end_reseal(self) -> None:
        """Note that no value lies under a replaced key any more; those that still hold one stay replaced."""
        ...

    async def abandon(self, key_ids: Collection[str]) -> Mapping[str, list[str]]:
        """Give up the values that lie under these keys; say by place which rows they were of.

        Settings of channels and secrets of endpoints become empty, grants and consents go.
        """
        ...
