"""`loa seal`."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from loa.app.admin_reach import administer
from loa.app.admin_seal import STEP_MAX
from loa.cli.command import command, group
from loa.cli.failures import Exit
from loa.cli.options import Yes
from loa.cli.progress import Told, bar
from loa.cli.terminal import Terminal

app = group("Master keys: secrets lie sealed in the ledger, and these open them. No key is ever shown.")


@command(app, "status", example="loa seal status\nloa seal status --json")
async def status(terminal: Terminal) -> None:
    """Say which master keys the ledger is sealed with, which of them are here, and how many values lie under each.

    A key is current, replaced (values may still lie under it), former (none is left; backups may need it), or ready:
    it lies here, and the ledger was never sealed with it.
    """
    found = await administer(terminal.settings, "seal.status")
    if terminal.as_json:
        terminal.line(found)
        return
    columns = {"id": "KEY", "use": "USE", "since": "SINCE", "here": "HERE", "values": "VALUES"}
    terminal.rows(found["keys"], columns, "there is no key yet; the first secret makes one")
    terminal.text(f"keys come from {found['keySource']}; {found['plain']} values lie open, {found['damaged']} damaged")


@dataclass
class _Walk:
    """Brings all values under the key in use."""

    terminal: Terminal
    told: Told
    done: int = 0
    damaged: int = 0

    async def all(self, what: str) -> None:
        found = await administer(self.terminal.settings, "seal.status")
        current = sum(key["values"] for key in found["keys"] if key["use"] == "current")
        total = sum(found["values"].values()) - current
        self.done = self.damaged = 0
        for place in found["values"]:
            await self._one(place, what, total)

    async def _one(self, place: str, what: str, total: int) -> None:
        skip, full = 0, True
        while full:
            step = await administer(self.terminal.settings, "seal.step", {"place": place, "skip": skip})
            skip += step["damaged"]
            self.done += step["done"]
            self.damaged += step["damaged"]
            full = step["done"] + step["damaged"] >= STEP_MAX
            self.told(what, self.done + self.damaged, total)


@command(
    app,
    "rotate",
    example="""
loa seal rotate
loa seal rotate --prepare
""",
)
async def rotate(
    terminal: Terminal,
    *,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only make the key, so that it can be brought to every machine.")
    ] = False,
) -> int:
    """Seal with another master key, and bring every value under it, while work goes on.

    If the command is broken off, run it again: it finishes what was begun, and takes no further key. Values that lie
    open, from before there were keys, are sealed in the same way. On PostgreSQL every process needs the key first: run
    it with --prepare, bring the key file to each machine, then run it without.
    """
    if prepare:
        ready = await administer(terminal.settings, "seal.prepare")
        said = f"key {ready['key']} lies ready in {ready['keySource']}: bring it to every machine, then loa seal rotate"
        terminal.data(ready, said)
        return Exit.OK
    settings = terminal.settings
    with bar(terminal, "looking") as told:
        walk = _Walk(terminal, told)
        await walk.all("finishing")
        finished = walk.done > 0
        if not finished:
            await administer(settings, "seal.end")
            await administer(settings, "seal.begin")
            await walk.all("sealing anew")
        found = await administer(settings, "seal.end")
    key = next(each["id"] for each in found["keys"] if each["use"] == "current")
    shown = {"key": key, "finishedEarlier": finished, "done": walk.done, "damaged": walk.damaged}
    terminal.data(shown, _what_was_sealed(shown))
    return Exit.FAILURE if walk.damaged else Exit.OK


def _what_was_sealed(shown: dict[str, Any]) -> str:
    begun = "finished what lay open or was broken off" if shown["finishedEarlier"] else "sealed anew"
    lines = [f"{begun}: {shown['done']} values are now under key {shown['key']}; back the key up"]
    if shown["finishedEarlier"]:
        lines.append("no new key was taken; for one, run loa seal rotate once more")
    if shown["damaged"]:
        lines.append(f"{shown['damaged']} values do not open and were left as they are: set them anew")
    return "\n".join(lines)


@command(app, "abandon", example="loa seal abandon\nloa seal abandon --yes")
async def abandon(terminal: Terminal, *, yes: Yes = False) -> None:
    """Give up every value whose master key is lost, so that it can be set anew. There is no way back.

    Settings of channels and secrets of endpoints become empty, grants go. Stop every Loa of this ledger first: one that
    still runs may have the key in memory, and loa seal rotate saves what it can open.
    """
    found = await administer(terminal.settings, "seal.status")
    lost = sum(key["values"] for key in found["keys"] if not key["here"])
    terminal.confirm(f"Give up {lost} values whose master key is not in {found['keySource']}?", yes=yes)
    gone = await administer(terminal.settings, "seal.abandon")
    lines = [f"{place}: {', '.join(rows)}" for place, rows in gone["gone"].items()]
    cures = "set channels anew with loa channels set, add endpoints anew, consent anew with loa zalo connect"
    terminal.data(gone, "\n".join([*lines, f"given up; {cures}" if lines else "nothing lay under it; Loa can start"]))
