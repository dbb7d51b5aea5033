"""Runs what is done with batches on the file, reads their messages, and forgets their rows."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from loa.ledger.batches import read_sent, to_forget
from loa.ledger.sqlite.unit import QUERIES, Unit
from loa.ledger.sqlite.users import run
from loa.ports.batches import SentMessage


def sent_messages(connection: apsw.Connection, tenant_id: int, referent_ids: Sequence[str]) -> list[SentMessage]:
    """Read the messages of submissions."""
    values = (tenant_id, json.dumps(list(referent_ids)))
    return read_sent(connection.execute(QUERIES["sent_messages"], values).fetchall())


def purge(unit: Unit, limit: int, now: int, keep_ms: Mapping[str, int]) -> int:
    """Forget the rows of batches past their time, and in the end that there were any."""
    gone: Any = run(unit.connection, lambda: to_forget(limit, now, keep_ms))
    return int(gone)
