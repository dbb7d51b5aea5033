"""Measures the console on one ledger: its pages, or the live tail under 500 events a second. See console_pages.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from life import Grounds
from scenarios import Scenario
from tools import BENCH, BenchError

SMALL: Final = 5_000
"""Messages of the small ledger that the large one is compared with."""
TAIL_S: Final = 60


def measure_console(
    grounds: Grounds, scenario: Scenario, variant: str, directory: Path, scale: float
) -> dict[str, Any]:
    """One run of one variant: the tail where it is named so, else all pages."""
    grounds.up()
    try:
        if variant.endswith("-tail"):
            directory.mkdir(parents=True, exist_ok=True)
            url = grounds.fresh(directory)
            try:
                return _run(url, directory, ["--tail", str(max(6.0, TAIL_S * scale))])
            finally:
                grounds.done(url)
        if variant.endswith("-history"):
            return _run(grounds.full(max(SMALL, round(scenario.history * scale))), directory, [])
        small = Grounds(grounds.engine, directory, grounds.server)
        return _run(small.full(SMALL), directory, [])
    finally:
        grounds.down()


def _run(url: str, directory: Path, words: list[str]) -> dict[str, Any]:
    folder = directory / "console"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(BENCH / "console_pages.py"), "--database", url, "--folder", str(folder), *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchError(f"the console could not be measured: {command[1]} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def brief(figures: dict[str, Any]) -> str:
    """Say in one line what was measured."""
    if "tail" in figures:
        heaps = ", ".join(f"{each['heapMiB']:.1f}" for each in figures["tail"])
        rows, nodes = figures["tail"][-1]["rows"], figures["tail"][-1]["nodes"]
        return f"tail, {figures['eventsPerSecond']:.0f} events/s: heap {heaps} MiB, {rows} rows, {nodes:.0f} nodes"
    slowest = max(figures["pages"], key=lambda name: figures["pages"][name]["p95"])
    worst = figures["pages"][slowest]["p95"]
    return f"slowest page: {slowest}, p95 {worst:.0f} ms; {figures['countedPerSecond']:,.0f} events counted/s"


def text(measured: dict[str, list[dict[str, Any]]]) -> str:
    """The pages of each engine on the small ledger and on the large one, and how many times longer they take."""
    lines = []
    for engine in ("sqlite", "postgres"):
        small, large = (measured.get(name, [{}])[-1].get("pages", {}) for name in (engine, f"{engine}-history"))
        for name in large:
            p50, p95 = large[name]["p50"], large[name]["p95"]
            beside = small.get(name)
            times = (
                f", {beside['p50']:.1f} / {beside['p95']:.1f} on the small one, ratio {p50 / beside['p50']:.1f}"
                if beside
                else ""
            )
            lines.append(f"  {engine}, {name}: {p50:.1f} / {p95:.1f} ms p50 / p95{times}")
    return "\n".join(lines)
