"""The ledger as a PostgreSQL database: its state, its schema, what is not as it should be; beside running Loas."""

from loa.errors import CallerError
from loa.ledger.postgres.address import place_of
from loa.ledger.postgres.inspect import LINES_BESIDE, Remark, ServerState, Weight, look, remarks
from loa.ledger.postgres.migrate import migrate, role_of
from loa.observe.clock import SystemClock
from loa.settings.tree import Settings

__all__ = [
    "Remark",
    "ServerState",
    "Weight",
    "lines_needed",
    "look_at",
    "migrate_schema",
    "place",
    "refuse_backup",
    "remarks",
    "schema_of",
]


def place(settings: Settings) -> str:
    """Say where the database is, as people may read it: host, port and name."""
    return place_of(settings.database.reveal())


async def look_at(settings: Settings) -> ServerState:
    """Look at the database of these settings. Errors: StorageError when it cannot be reached."""
    return await look(settings.database.reveal(), SystemClock(), settings.postgres.timeout_s)


async def schema_of(settings: Settings) -> int:
    """Give the schema number, 0 for an empty database; as the owner, who sees it in any case. Errors: StorageError."""
    url = settings.postgres.owner.reveal() or settings.database.reveal()
    found = await look(url, SystemClock(), settings.postgres.timeout_s)
    return found.schema.schema


def lines_needed(settings: Settings) -> int:
    """How many connections the processes of one start with these settings make."""
    own = settings.postgres
    one = own.connections + own.readers + LINES_BESIDE
    return one * (settings.server.workers + 1 if settings.server.workers > 1 else 1)


async def migrate_schema(settings: Settings, *, finish: bool) -> list[str]:
    """Bring the database to the schema of this program, with the owner's rights; give what was done.

    Errors: StorageError.
    """
    url = settings.database.reveal()
    return await migrate(settings.postgres.owner.reveal() or url, role=role_of(url), finish=finish)


def refuse_backup(settings: Settings) -> CallerError:
    """Say how a database is backed up: by the tools of its server."""
    return CallerError(
        "backup_of_database",
        f"the ledger is the PostgreSQL database {place(settings)}, which its own tools back up: pg_basebackup for the"
        " whole server with every commit up to the last (PITR), pg_dump for the state of one moment; how, and what a"
        " restore means for messages that were sent since, is told in docs/how-to/production.md",
    )
