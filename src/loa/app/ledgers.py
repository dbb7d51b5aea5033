"""Which ledger the settings mean, opened: the one place that knows both engines."""

from dataclasses import replace
from typing import Final

from loa.app import translate
from loa.domain.callback_body import utc_text
from loa.errors import StorageUnavailable
from loa.ledger.postgres.address import place_of
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.probe import Probe
from loa.seal.keyfile import KeyFile
from loa.seal.keyring import Keyring
from loa.seal.sealer import FixedKeys, KeySource, Sealer, missing
from loa.settings.tree import Settings

RELEASE = (
    "loa ledger release --hold ends all that waits in it as unknown and never sends it; loa ledger release --send sends"
    " it, right only if nothing was sent since; see docs/how-to/production.md"
)
"""The ways out for a ledger that was restored."""
KEYS_VARIABLE: Final = "LOA_SEAL__KEYS"


def key_source(settings: Settings) -> KeySource:
    """Say where these settings have the master keys. Errors: ConfigError, which never repeats a key."""
    if settings.seal.keys:
        return FixedKeys(Keyring.read(settings.seal.keys.reveal(), KEYS_VARIABLE), KEYS_VARIABLE)
    return KeyFile(settings.key_path)


async def open_ledger(settings: Settings, probe: Probe, clock: Clock, *, briefly: bool = False) -> Ledger:
    """Open the ledger of these settings; `briefly` for one command, which accepts and sends no messages.

    Errors: ConfigError; StorageError, also where the master key is missing and for a restored backup that nobody has
    released, but not briefly.
    """
    sealer = Sealer(key_source(settings))
    ledger = await _open(settings, probe, clock, sealer, briefly=briefly)
    if briefly:
        return ledger
    try:
        await _refuse_restored(settings, ledger)
        _refuse_without_key(sealer)
    except BaseException:
        await ledger.close()
        raise
    return ledger


async def _open(settings: Settings, probe: Probe, clock: Clock, sealer: Sealer, *, briefly: bool) -> Ledger:
    if settings.on_postgres:
        options = translate.postgres_options(settings)
        if briefly:
            options = replace(options, connections=0, readers=1)
        return await PostgresLedger.open(
            settings.database.reveal(),
            folder=settings.data_dir,
            probe=probe,
            clock=clock,
            options=options,
            sealer=sealer,
        )
    file_options = translate.sqlite_options(settings)
    if briefly:
        # It needs no room kept back for outcomes.
        file_options = replace(file_options, reserve_octets=0)
    return await SqliteLedger.open(settings.ledger_path, probe=probe, options=file_options, sealer=sealer)


async def _refuse_restored(settings: Settings, ledger: Ledger) -> None:
    """Refuse a restored backup: what waits in it may have been sent since. Errors: StorageUnavailable."""
    at = await ledger.backup_at()
    if at is None:
        return
    place = place_of(settings.database.reveal()) if settings.on_postgres else str(settings.ledger_path)
    raise StorageUnavailable(
        f"the ledger {place} was restored from a backup of {backup_time(at)}: the Loa it was taken from may have sent"
        f" since what waits in it. {RELEASE}"
    )


def _refuse_without_key(sealer: Sealer) -> None:
    """Refuse a ledger whose secrets this process could neither open nor seal. Errors: CannotOpen, ConfigError."""
    if not sealer.has(sealer.current):
        raise missing(sealer.current, sealer.source.where)


def backup_time(at: int) -> str:
    """Write when a backup was made, as far as it is known."""
    return utc_text(at) if at else "an unknown time"
