"""Which ledger the settings mean, opened: the one place that knows both engines."""

from dataclasses import replace

from loa.app import translate
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.probe import Probe
from loa.settings.tree import Settings


async def open_ledger(settings: Settings, probe: Probe, clock: Clock, *, briefly: bool = False) -> Ledger:
    """Open the ledger of these settings; `briefly` for one command, which accepts no messages.

    Errors: StorageError; ConfigError for settings that fit no ledger.
    """
    options = translate.sqlite_options(settings)
    if briefly:
        # It needs no room kept back for outcomes.
        options = replace(options, reserve_octets=0)
    return await SqliteLedger.open(settings.ledger_path, probe=probe, options=options)
