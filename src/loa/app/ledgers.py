"""Which ledger the settings mean, opened: the one place that knows both engines."""

from dataclasses import replace

from loa.app import translate
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.probe import Probe
from loa.settings.tree import Settings


async def open_ledger(settings: Settings, probe: Probe, clock: Clock, *, briefly: bool = False) -> Ledger:
    """Open the ledger of these settings; `briefly` for one command, which accepts no messages.

    Errors: StorageError.
    """
    if settings.on_postgres:
        options = translate.postgres_options(settings)
        if briefly:
            options = replace(options, connections=0, readers=1)
        return await PostgresLedger.open(
            settings.database.reveal(), folder=settings.data_dir, probe=probe, clock=clock, options=options
        )
    file_options = translate.sqlite_options(settings)
    if briefly:
        # It needs no room kept back for outcomes.
        file_options = replace(file_options, reserve_octets=0)
    return await SqliteLedger.open(settings.ledger_path, probe=probe, options=file_options)
