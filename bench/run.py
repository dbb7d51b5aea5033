"""`make bench`: Loa end to end, and Kannel beside it when it is installed, in alternating runs.

A load driver, an SMSC and a callback receiver, all in C and each its own process, share the machine with the gateway.
See docs/internals/benchmark.md for what each figure means.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import kannel_under_test
import loa_under_test
from gateway import Gateway
from kannel_under_test import Kannel
from loa_under_test import Loa
from machine import facts
from measure import measure
from report import Runs, summary, text
from scenarios import SCENARIOS, Scenario, chosen
from tools import BENCH, BenchError, build

OUT = BENCH / "out"
IN_MEMORY = ("tmpfs", "ramfs")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    names = ", ".join(scenario.name for scenario in SCENARIOS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", help=f"which to run (default all): {names}")
    parser.add_argument("--runs", type=int, default=3, help="runs of each scenario and gateway (default 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of each run; 0.1 for a quick look")
    parser.add_argument("--only", choices=("loa", "kannel"), help="measure one gateway alone")
    parser.add_argument("--store", choices=kannel_under_test.STORES, default="spool", help="Kannel's message store")
    parser.add_argument("--work", type=Path, default=OUT / "work", help="directory on the disk to measure")
    parser.add_argument("--keep", action="store_true", help="keep the data and logs of every run")
    given = parser.parse_args()
    unknown = set(given.scenarios) - {scenario.name for scenario in SCENARIOS}
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are: {names}")
    return given


def gateways(given: argparse.Namespace) -> list[Gateway]:
    """What will be measured; says loudly what will not and why."""
    found: list[Gateway] = []
    if given.only != "kannel":
        if not loa_under_test.installed():
            raise BenchError(f"{loa_under_test.LOA} cannot serve; run `make setup` first")
        found.append(Loa())
    if given.only != "loa":
        if kannel_under_test.installed():
            found.append(Kannel(given.store))
        else:
            print(f"\n*** KANNEL WAS NOT RUN: not installed. To compare: {kannel_under_test.INSTALL} ***\n")
    if kannel_under_test.running_service():
        print("*** a bearerbox that this benchmark did not start is running; its work disturbs the figures ***")
    return found


def run_all(given: argparse.Namespace, measured: list[Gateway]) -> Runs:
    """Every scenario, `--runs` times, the gateways taking turns."""
    runs: Runs = {}
    for scenario in chosen(given.scenarios):
        print(f"\n{scenario.name}: {scenario.shows}", flush=True)
        for number in range(1, given.runs + 1):
            for gateway in measured:
                if gateway.name == "kannel" and not scenario.kannel:
                    continue
                figures = run_one(given, gateway, scenario, number)
                runs.setdefault(scenario.name, {}).setdefault(gateway.name, []).append(figures)
    return runs


def run_one(given: argparse.Namespace, gateway: Gateway, scenario: Scenario, number: int) -> dict[str, Any]:
    """One run in a fresh directory, which is removed afterwards unless it is to be kept."""
    directory = given.work / f"{scenario.name}-{gateway.name}-{number}"
    shutil.rmtree(directory, ignore_errors=True)
    figures = measure(gateway, scenario, directory, given.scale)
    if not given.keep:
        shutil.rmtree(directory)
    print(f"  run {number} {gateway.name}: {_brief(figures)}", flush=True)
    return figures


def _brief(figures: dict[str, Any]) -> str:
    if "queueMsP99" in figures:
        return f"queue p50 {figures['queueMsP50']:.1f} ms, p99 {figures['queueMsP99']:.1f} ms"
    way = f"{figures['messagesPerSecond']:,.0f} messages/s, " if "messagesPerSecond" in figures else ""
    return f"{way}{figures['acceptPerSecond']:,.0f} requests/s, p99 {figures['acceptMsP99']:.1f} ms"


def main() -> int:
    given = arguments()
    try:
        build()
        given.work.mkdir(parents=True, exist_ok=True)
        measured = gateways(given)
        machine = facts(given.work.resolve())
        print(", ".join(f"{name} {value}" for name, value in machine.items()))
        if machine["journal"] == "none" and any(gateway.name == "kannel" for gateway in measured):
            print("ext4 without a journal slows Kannel's spool; --store spool-memory shows it without that")
        if machine["filesystem"] in IN_MEMORY:
            print(f"*** {given.work} is in memory: fsync costs nothing there; give --work on a disk ***")
        runs = run_all(given, measured)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(f"\n{text(runs)}")
    report = {"machine": machine, "scale": given.scale, "store": given.store, "summary": summary(runs), "runs": runs}
    path = OUT / time.strftime("bench-%Y%m%d-%H%M%S.json")
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nEverything measured: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
