"""The lines of the SMSC's journal, and what a new run learns from those of an earlier one.

Shapes: {"kind":"submit","at","number","id","systemId","source","destination","part":[reference,total,number]|null,
"text","sequence","coding","owes":[...],"error","userReference"} and
{"kind":"receipt","at","number","destination","stat","status"}.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from loa.simulators.smsc.events import Taken, Told
from loa.smpp.payload import Part


def taken_line(taken: Taken) -> dict[str, Any]:
    """Write an accepted submit."""
    part = taken.part
    return {
        "kind": "submit",
        "at": taken.at,
        "number": taken.number,
        "id": taken.message_id,
        "systemId": taken.system_id,
        "source": taken.source,
        "destination": taken.destination,
        "part": None if part is None else [part.reference, part.total, part.number],
        "text": taken.text,
        "sequence": taken.sequence,
        "coding": taken.data_coding,
        "owes": list(taken.owes),
        "error": taken.error,
        "userReference": None if taken.reference is None else taken.reference.hex(),
    }


def told_line(told: Told) -> dict[str, Any]:
    """Write the answer to a receipt."""
    return {
        "kind": "receipt",
        "at": told.at,
        "number": told.number,
        "destination": told.destination,
        "stat": told.stat,
        "status": told.status,
    }


def still_owed(lines: Iterable[Mapping[str, Any]]) -> list[Taken]:
    """Give the segments of earlier runs whose receipts were never answered, oldest first."""
    owing: dict[int, Taken] = {}
    for line in lines:
        kind = line.get("kind")
        if kind == "submit" and line["owes"]:
            taken = _taken(line)
            owing[taken.number] = taken
        elif kind == "receipt" and line["number"] in owing:
            taken = _without(owing[line["number"]], line["stat"])
            if taken.owes:
                owing[taken.number] = taken
            else:
                del owing[taken.number]
    return list(owing.values())


def _taken(line: Mapping[str, Any]) -> Taken:
    part, reference = line["part"], line["userReference"]
    return Taken(
        at=line["at"],
        number=line["number"],
        message_id=line["id"],
        system_id=line["systemId"],
        source=line["source"],
        destination=line["destination"],
        text=line["text"],
        part=None if part is None else Part(*part),
        sequence=line["sequence"],
        data_coding=line["coding"],
        owes=tuple(line["owes"]),
        error=line["error"],
        reference=None if reference is None else bytes.fromhex(reference),
    )


def _without(taken: Taken, stat: str) -> Taken:
    owes = list(taken.owes)
    if stat in owes:
        owes.remove(stat)
    return replace(taken, owes=tuple(owes))
