"""The system: program, ledger, who shares it, what waits, master keys, settings with their origin, parts; a bundle."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from loa.console.formats import read_field_time
from loa.console.pages import render
from loa.console.parts import Parts

PATH: Final = "/console/system"
SLOW_MS: Final = 100
"""A commit that takes this long holds up whoever sends."""
UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
STEP: Final = 1024
REMARK_TONES: Final = {"wrong": "bad", "poor": "warn", "note": "plain"}


async def system(request: Request, parts: Parts) -> Response:
    """Show the system as it is now."""
    shown = await parts.acts.read("system.show")
    seal = await parts.acts.read("seal.status")
    now = parts.clock.now()
    return render(
        request,
        "system.html",
        program=shown["program"],
        ledger=defaultdict(lambda: None, shown["ledger"]),
        members=[_timed(each) for each in shown["ledger"].get("members", ())],
        remarks=[{**each, "tone": REMARK_TONES[each["weight"]]} for each in shown["ledger"].get("remarks", ())],
        restored=read_field_time(shown["restoredAt"] or ""),
        lanes=[_waiting(each, now) for each in await parts.acts.read("ledger.lanes")],
        seal=seal,
        lost=[each for each in seal["keys"] if not each["here"] and (each["use"] == "current" or each["values"])],
        sections=sections(shown["settings"]),
        packages=shown["packages"],
        size=size,
        slow=SLOW_MS,
    )


async def bundle(request: Request, parts: Parts) -> Response:
    """Give what somebody who helps wants to see, as a file."""
    made = await parts.acts.do(request, "system.bundle")
    text = json.dumps(made, ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="loa-support.json"'}
    return Response(text, media_type="application/json", headers=headers)


def size(octets: int | None) -> tuple[float, str]:
    """Give a size in the largest unit of which it has at least one."""
    value, place = float(octets or 0), 0
    while value >= STEP and place < len(UNITS) - 1:
        value, place = value / STEP, place + 1
    return value, UNITS[place]


def sections(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Sort settings by section; each with its own name, and whether somebody has set it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        section, _, name = row["name"].rpartition(".")
        value = row["value"]
        written = ", ".join(map(str, value)) if isinstance(value, list) else _written(value)
        changed = row["origin"] not in ("", "default")
        found.setdefault(section, []).append({**row, "name": name, "value": written, "changed": changed})
    return found


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _timed(member: Mapping[str, Any]) -> dict[str, Any]:
    return {**member, **{name: read_field_time(member[name] or "") for name in ("startedAt", "seenAt")}}


def _waiting(lane: Mapping[str, Any], now: int) -> dict[str, Any]:
    since = read_field_time(lane["oldestDueAt"] or "")
    return {**lane, "age": max(0, now - since) if since is not None else 0}
