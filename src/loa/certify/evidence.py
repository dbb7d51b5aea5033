"""Puts together what the witnesses of one run wrote down: three journals, and what the API shows of the ledger."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from loa.certify.client import Ask, Client
from loa.certify.invariants import Evidence, Row
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


def read_evidence(
    directory: Path,
    asks: Sequence[Ask],
    *,
    messages: Sequence[Row],
    timelines: Mapping[str, Row],
    feed: Sequence[Row],
    orphans: Sequence[Mapping[str, Any]],
    samples: Sequence[Mapping[str, str]],
    kills: int,
) -> Evidence:
    """Put together what the API gave and what stands on disk."""
    smsc = list(read_journal(directory / SMSC_JOURNAL))
    callbacks = [{**line, "body": json.loads(line["body"])} for line in read_journal(directory / RECEIVER_JOURNAL)]
    return Evidence(
        asks=asks,
        promises=list(read_journal(directory / CLIENT_JOURNAL)),
        messages=messages,
        timelines=timelines,
        feed=feed,
        submits=[line for line in smsc if line["kind"] == "submit"],
        told=[line for line in smsc if line["kind"] == "receipt"],
        callbacks=callbacks,
        orphans=sum(row["count"] for row in orphans),
        samples=samples,
        kills=kills,
    )
