"""Puts together what the witnesses of one run wrote down: three journals, and what the API shows of the ledger."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from loa.certify.client import Client
from loa.certify.invariants import Row
from loa.simulators.journal import read_journal

CLIENT_JOURNAL: Final = "client.jsonl"
SMSC_JOURNAL: Final = "smsc.jsonl"
RECEIVER_JOURNAL: Final = "receiver.jsonl"
READERS: Final = 8


async def read_timelines(client: Client, messages: Sequence[Row]) -> dict[str, Row]:
    """Read the whole story of each message. Errors: aiohttp.ClientError."""
    found: dict[str, Row] = {}
    waiting = iter([row["messageId"] for row in messages])

    async def read() -> None:
        for message_id in waiting:
            found[message_id] = await client.get(f"messages/{message_id}")

    await asyncio.gather(*(read() for _ in range(READERS)))
    return found


class Journals(NamedTuple):
    """What client, SMSC and receiver wrote down so far."""

    promises: Sequence[Row]
    submits: Sequence[Row]
    told: Sequence[Row]
    callbacks: Sequence[Row]


def read_journals(directory: Path) -> Journals:
    """Read what stands on disk."""
    smsc = list(read_journal(directory / SMSC_JOURNAL))
    return Journals(
        promises=list(read_journal(directory / CLIENT_JOURNAL)),
        submits=[line for line in smsc if line["kind"] == "submit"],
        told=[line for line in smsc if line["kind"] == "receipt"],
        callbacks=[{**line, "body": json.loads(line["body"])} for line in read_journal(directory / RECEIVER_JOURNAL)],
    )
