"""Seals values for the ledger and opens them: which master key is in use, and what was opened lately.

The ledger says which key is in use; the keys themselves come from a source, which is read again when an id turns up
that is not known yet: another process may have brought a new one.
"""

from typing import Final, Protocol

from loa.errors import CannotOpen, ConfigError
from loa.seal.envelope import Damaged, Envelope, close, is_sealed, rewrap, unclose
from loa.seal.keyring import Keyring, MasterKey

OPENED_KEPT: Final = 16_384


class KeySource(Protocol):
    """Where master keys come from."""

    @property
    def where(self) -> str:
        """Say for people where that is."""
        ...

    def read(self) -> Keyring:
        """Read the keys; an empty ring where there are none yet. Errors: ConfigError."""
        ...

    def make(self) -> Keyring:
        """Read the keys, making the first one where there is none: on disk when this returns. Errors: ConfigError."""
        ...

    def add_fresh(self) -> Keyring:
        """Make a key and put it before the others: on disk when this returns. Errors: ConfigError."""
        ...


class FixedKeys:
    """Keys that somebody gave at the start."""

    def __init__(self, keyring: Keyring, where: str) -> None:
        self._keyring = keyring
        self.where = where

    def read(self) -> Keyring:
        """See KeySource."""
        return self._keyring

    def make(self) -> Keyring:
        """See KeySource."""
        return self._keyring

    def add_fresh(self) -> Keyring:
        """See KeySource; whoever gave the keys gives a new one too."""
        raise ConfigError(
            f"the master keys come from {self.where}: put a new one, made by openssl rand -base64 32, before the others"
            " there, start every Loa anew, and run this again"
        )


class Sealer:
    """Seals and opens. May be used by several threads. Errors of every call: CannotOpen, ConfigError.

    `place`: table and column, then what names the row for ever, as in `endpoint.secrets:7:https://…`; a value opens
    at the place for which it was sealed and nowhere else.
    """

    def __init__(self, source: KeySource) -> None:
        self.source = source
        self.current = ""
        """The id of the key that seals, as the ledger says; "" before it has said."""
        self._keys: dict[str, MasterKey] = {}
        self._opened: dict[tuple[str, str], str] = {}

    def seal(self, place: str, plain: str) -> str:
        """Close a text."""
        if not self.current:
            self.use(self.source.make().ids[0])
        return close(place, plain, self._key(self.current)).written()

    def open(self, place: str, sealed: str) -> str:
        """Give the text; one that is not sealed, from a ledger of before, as it is."""
        known = self._opened.get((place, sealed))
        if known is not None:
            return known
        if not is_sealed(sealed):
            return sealed
        plain = self._open(place, sealed)
        if len(self._opened) >= OPENED_KEPT:
            self._opened.clear()
        self._opened[place, sealed] = plain
        return plain

    def rewrap(self, place: str, sealed: str) -> str:
        """Give it under the key in use, with the same data key; what was plain is sealed."""
        if not is_sealed(sealed):
            return self.seal(place, sealed)
        try:
            envelope = Envelope.read(sealed)
            if envelope.key_id == self.current:
                return sealed
            return rewrap(place, envelope, self._key(envelope.key_id), self._key(self.current)).written()
        except Damaged as why:
            raise _damaged(place, why) from None

    def use(self, key_id: str) -> None:
        """Seal with this key from now on."""
        self.current = key_id

    def has(self, key_id: str) -> bool:
        """Tell whether a key is there. Errors: ConfigError."""
        return key_id in self._keys or self._read_again(key_id) is not None

    def _open(self, place: str, sealed: str) -> str:
        try:
            envelope = Envelope.read(sealed)
            return unclose(place, envelope, self._key(envelope.key_id))
        except Damaged as why:
            raise _damaged(place, why) from None

    def _key(self, key_id: str) -> MasterKey:
        key = self._keys.get(key_id) or self._read_again(key_id)
        if key is None:
            raise missing(key_id, self.source.where)
        return key

    def _read_again(self, key_id: str) -> MasterKey | None:
        # Keys that are gone from the source stay: what they sealed a moment ago still opens.
        self._keys.update({key.id: key for key in self.source.read().keys})
        return self._keys.get(key_id)


def key_of(stored: str) -> str:
    """Give the id of the key under which a stored value lies, "" where it is plain, "?" where it cannot be read."""
    if not is_sealed(stored):
        return ""
    try:
        return Envelope.read(stored).key_id
    except Damaged:
        return "?"


def missing(key_id: str, where: str) -> CannotOpen:
    """Say that a key is not here, and what to do."""
    return CannotOpen(
        f"the ledger is sealed with master key {key_id}, which is not in {where}: copy that key there from the machine"
        " or the backup that has it; if it is lost, loa seal abandon, and set the secrets anew: see"
        " docs/how-to/production.md",
        key_id=key_id,
    )


def _damaged(place: str, why: Damaged) -> CannotOpen:
    table = place.partition(":")[0]
    return CannotOpen(
        f"a sealed value of {table} does not open, {why}: set it anew, or restore it from a backup", table=table
    )
