"""What an admin does with master keys: looks at them, brings the ledger under another one, gives up what is lost."""

from collections.abc import Mapping
from typing import Final

from loa.app.admin_people import Shown, instant
from loa.errors import CallerError
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.sealing import KeyState, KeyUse
from loa.seal.keyring import Keyring, MasterKey
from loa.seal.sealer import KeySource, missing

STEP_MAX: Final = 500
"""Values brought under another key in one commit: others wait for it."""
_NO_KEYS: Final = frozenset({"", "?"})
"""What stands for a key where a value is plain or cannot be read."""
_PREPARE: Final = (
    "several processes may share this ledger, and each needs the new key before it is used: run loa seal rotate"
    " --prepare, bring {where} to each of them, then run this again"
)
_RUNS: Final = (
    "a Loa runs here and may have the key still in memory: run loa seal rotate, which saves what it can open; then stop"
    " it, and run loa seal abandon for the rest"
)


class SealDesk:
    """The master keys of the ledger. `shared`: several processes may have it open, each with keys of its own."""

    def __init__(self, ledger: Ledger, clock: Clock, keys: KeySource, *, shared: bool, is_running: bool) -> None:
        self._ledger = ledger
        self._clock = clock
        self._keys = keys
        self._shared = shared
        self._is_running = is_running

    async def status(self) -> Shown:
        """Say which keys the ledger is sealed with, which of them are here, and how many values lie under each."""
        states, counts = await self._ledger.master_keys(), await self._ledger.sealed_counts()
        here = self._keys.read()
        named = dict.fromkeys((*states, *here.ids))
        return {
            "keySource": self._keys.where,
            "keys": [_key(key_id, states.get(key_id), counts, here) for key_id in named],
            "values": {place: sum(each.values()) for place, each in counts.items()},
            "plain": _under(counts, ""),
            "damaged": _under(counts, "?"),
        }

    async def prepare(self) -> Shown:
        """Make a key for the next rotation, unless one lies ready. Errors: ConfigError."""
        ready = _ready(self._keys.read(), await self._ledger.master_keys())
        made = ready or self._keys.add_fresh().keys[0]
        return {"key": made.id, "made": ready is None, "keySource": self._keys.where}

    async def begin(self) -> Shown:
        """Seal with another key from now on: the one that lies ready, else a new one.

        Errors: CallerError where several processes need it first; CannotOpen when a key in use is lost; ConfigError.
        """
        lost = await self._lost()
        # A Loa that runs has the keys in memory with which it began: this is how they are saved.
        if lost and not self._is_running:
            raise missing(lost[0], self._keys.where)
        return {"key": await self._use_another()}

    async def step(self, *, place: str, skip: int, limit: int = STEP_MAX) -> Shown:
        """Bring the next values of a place under the key in use. Errors: CannotOpen when one's key is not here."""
        if place not in await self._ledger.sealed_counts():
            raise CallerError("place", f"nothing is sealed in {place!r}")
        step = await self._ledger.reseal(place, max(skip, 0), min(max(limit, 1), STEP_MAX))
        return {"done": step.done, "damaged": step.damaged}

    async def end(self) -> Shown:
        """Note that a rotation is done."""
        await self._ledger.end_reseal()
        return await self.status()

    async def abandon(self) -> Shown:
        """Give up every value whose key is not here, so that it can be set anew.

        Errors: CallerError where nothing is lost, or a Loa runs that may have the key; ConfigError.
        """
        lost = await self._lost()
        if not lost:
            raise CallerError("nothing_lost", "every master key that the ledger is sealed with is here")
        if self._is_running:
            raise CallerError("loa_runs", _RUNS)
        states = await self._ledger.master_keys()
        if any(states[key_id].use is KeyUse.CURRENT for key_id in lost if key_id in states):
            await self._use_another()
        gone = await self._ledger.abandon(lost)
        await self._ledger.end_reseal()
        return {"keys": lost, "gone": {place: rows for place, rows in gone.items() if rows}}

    async def _lost(self) -> list[str]:
        """Give the keys that are not here although they seal, or values lie under them."""
        states, counts = await self._ledger.master_keys(), await self._ledger.sealed_counts()
        current = {key_id for key_id, state in states.items() if state.use is KeyUse.CURRENT}
        used = {key_id for each in counts.values() for key_id in each} - _NO_KEYS
        return sorted((current | used) - set(self._keys.read().ids))

    async def _use_another(self) -> str:
        key = _ready(self._keys.read(), await self._ledger.master_keys())
        if key is None:
            if self._shared:
                raise CallerError("not_prepared", _PREPARE.format(where=self._keys.where))
            key = self._keys.add_fresh().keys[0]
        await self._ledger.use_master_key(key.id, self._clock.now())
        return key.id


def _ready(here: Keyring, states: Mapping[str, KeyState]) -> MasterKey | None:
    """Give the first key that the ledger has never been sealed with."""
    return next((key for key in here.keys if key.id not in states), None)


def _key(key_id: str, state: KeyState | None, counts: Mapping[str, Mapping[str, int]], here: Keyring) -> Shown:
    since = state.since if state is not None and state.since > KeyUse.CURRENT else None
    return {
        "id": key_id,
        "use": "ready" if state is None else state.use.name.lower(),
        "since": instant(since),
        "here": key_id in here.ids,
        "values": _under(counts, key_id),
    }


def _under(counts: Mapping[str, Mapping[str, int]], key_id: str) -> int:
    return sum(each.get(key_id, 0) for each in counts.values())
