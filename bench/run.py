"""`make bench`: Loa on SQLite and on PostgreSQL, end to end and its ledger alone, and Kannel beside it, in turns.

A load driver, an SMSC and a callback receiver, all in C and each its own process, share the machine with the gateway.
PostgreSQL is a private server below the work directory, and Kannel the installed one; without either the run says so
and goes on. See docs/internals/benchmark.md for what each figure means.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import console
import kannel_under_test
import loa_under_test
import postgres_server
from console import measure_console
from gateway import Gateway
from kannel_under_test import Kannel
from ledger_life import LIVES
from life import Grounds, measure_life
from loa_under_test import Loa
from machine import facts
from measure import measure
from postgres_server import PostgresServer
from report import Runs, summary, text
from scenarios import SCENARIOS, Scenario, chosen
from tools import BENCH, BenchError, build

OUT = BENCH / "out"
IN_MEMORY = ("tmpfs", "ramfs")
PARTS = ("sqlite", "postgres", "postgres-workers", "kannel")
WORKERS = 2


def arguments() -> argparse.Namespace:
    """Read the command line."""
    names = ", ".join(scenario.name + ("" if scenario.standard else " (when named)") for scenario in SCENARIOS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help=f"which to run, all for every one: {names}")
    parser.add_argument("--runs", type=int, default=3, help="runs of each scenario and gateway (default 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of each run; 0.1 for a quick look")
    parser.add_argument(
        "--only",
        choices=PARTS,
        action="append",
        help="measure this alone: a ledger's engine or Kannel; may be repeated",
    )
    parser.add_argument("--store", choices=kannel_under_test.STORES, default="spool", help="Kannel's message store")
    parser.add_argument("--work", type=Path, default=OUT / "work", help="directory on the disk to measure")
    parser.add_argument("--out", type=Path, default=OUT, help="directory for the report")
    parser.add_argument("--keep", action="store_true", help="keep the data and logs of every run")
    given = parser.parse_args()
    unknown = set(given.scenarios) - {scenario.name for scenario in SCENARIOS} - {"all"}
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are: {names}")
    return given


def parts(given: argparse.Namespace) -> list[str]:
    """What of `PARTS` will be measured; says loudly what will not and why."""
    wanted = [name for name in PARTS if not given.only or name in given.only]
    if "kannel" in wanted and not kannel_under_test.installed():
        print(f"\n*** KANNEL WAS NOT RUN: not installed. To compare: {kannel_under_test.INSTALL} ***\n")
        wanted.remove("kannel")
    if any(name.startswith("postgres") for name in wanted) and not postgres_server.installed():
        print(f"\n*** POSTGRESQL WAS NOT RUN: not installed. To compare: {postgres_server.INSTALL} ***\n")
        wanted = [name for name in wanted if not name.startswith("postgres")]
    if kannel_under_test.running_service():
        print("*** a bearerbox that this benchmark did not start is running; its work disturbs the figures ***")
    return wanted


def gateways(wanted: list[str], server: PostgresServer, store: str) -> list[Gateway]:
    """Make the gateways that will be measured."""
    if wanted != ["kannel"] and not loa_under_test.installed():
        raise BenchError(f"{loa_under_test.LOA} cannot serve; run `make setup` first")
    made: dict[str, Gateway] = {
        "sqlite": Loa(),
        "postgres": Loa(server),
        "postgres-workers": Loa(server, WORKERS),
        "kannel": Kannel(store),
    }
    return [made[name] for name in wanted]


def run_all(given: argparse.Namespace, wanted: list[str], server: PostgresServer) -> Runs:
    """Every scenario, `--runs` times, what is measured taking turns."""
    runs: Runs = {}
    measured = gateways(wanted, server, given.store)
    engines: dict[str, PostgresServer | None] = {"sqlite": None, "postgres": server}
    grounds = {name: Grounds(name, given.work, of) for name, of in engines.items() if name in wanted}
    try:
        for scenario in chosen(given.scenarios):
            print(f"\n{scenario.name}: {scenario.shows}", flush=True)
            for number in range(1, given.runs + 1):
                for name, figures in turns(given, scenario, measured, grounds, number):
                    runs.setdefault(scenario.name, {}).setdefault(name, []).append(figures)
    finally:
        for each in grounds.values():
            each.remove()
    return runs


def turns(
    given: argparse.Namespace, scenario: Scenario, measured: list[Gateway], grounds: dict[str, Grounds], number: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """One run of everything that a scenario compares."""
    for variant in scenario.variants:
        engine = variant.partition("-")[0]
        if engine in grounds:
            with room(given, scenario, variant, number) as directory:
                measured_by = measure_console if scenario.console else measure_life
                figures = measured_by(grounds[engine], scenario, variant, directory, given.scale)
            yield variant, told(variant, number, figures)
    for gateway in measured if not scenario.variants else ():
        if (gateway.name == "kannel" and not scenario.kannel) or ("workers" in gateway.name and not scenario.workers):
            continue
        with room(given, scenario, gateway.name, number) as directory:
            figures = measure(gateway, scenario, directory, given.scale)
        yield gateway.name, told(gateway.name, number, {"engine": gateway.engine, **figures})


@contextmanager
def room(given: argparse.Namespace, scenario: Scenario, name: str, number: int) -> Iterator[Path]:
    """A directory for one run that is not there yet, removed afterwards unless it is to be kept."""
    directory: Path = given.work / f"{scenario.name}-{name}-{number}"
    shutil.rmtree(directory, ignore_errors=True)
    yield directory
    if not given.keep:
        shutil.rmtree(directory)


def told(name: str, number: int, figures: dict[str, Any]) -> dict[str, Any]:
    print(f"  run {number} {name}: {_brief(figures)}", flush=True)
    return figures


def _brief(figures: dict[str, Any]) -> str:
    if "pages" in figures or "tail" in figures:
        return console.brief(figures)
    lives = [f"{figures[f'{life}PerSecond']:,.0f} {life}/s" for life in LIVES if f"{life}PerSecond" in figures]
    if lives:
        return ", ".join(lives)
    if "queueMsP99" in figures:
        return f"queue p50 {figures['queueMsP50']:.1f} ms, p99 {figures['queueMsP99']:.1f} ms"
    way = f"{figures['messagesPerSecond']:,.0f} messages/s, " if "messagesPerSecond" in figures else ""
    return f"{way}{figures['acceptPerSecond']:,.0f} requests/s, p99 {figures['acceptMsP99']:.1f} ms"


def main() -> int:
    given = arguments()
    try:
        if any(not scenario.variants for scenario in chosen(given.scenarios)):
            build()
        given.work.mkdir(parents=True, exist_ok=True)
        wanted = parts(given)
        machine = facts(given.work.resolve())
        print(", ".join(f"{name} {value}" for name, value in machine.items()))
        if machine["journal"] == "none" and "kannel" in wanted:
            print("ext4 without a journal slows Kannel's spool; --store spool-memory shows it without that")
        if machine["filesystem"] in IN_MEMORY:
            print(f"*** {given.work} is in memory: fsync costs nothing there; give --work on a disk ***")
        server = PostgresServer(given.work.resolve())
        try:
            runs = run_all(given, wanted, server)
        finally:
            server.remove()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(f"\n{text(runs)}")
    report = {"machine": machine, "postgres": server.facts, "scale": given.scale, "store": given.store}
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / time.strftime("bench-%Y%m%d-%H%M%S.json")
    path.write_text(json.dumps(report | {"summary": summary(runs), "runs": runs}, indent=1) + "\n")
    print(f"\nEverything measured: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
