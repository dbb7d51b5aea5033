"""Turns runs into medians, spreads, ratios and verdicts, and prints them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from scenarios import SCENARIOS, TARGETS, Scenario, Target

Runs = dict[str, dict[str, list[dict[str, Any]]]]
"""Scenario name -> gateway name -> one dictionary of figures a run, in the order they were made."""

COLUMNS = (
    ("messages/s", "messagesPerSecond", "{:,.0f}"),
    ("requests/s", "acceptPerSecond", "{:,.0f}"),
    ("p50 ms", "acceptMsP50", "{:.1f}"),
    ("p99 ms", "acceptMsP99", "{:.1f}"),
    ("CPU s/1,000", "cpuSecondsPer1000", "{:.3f}"),
    ("RSS MiB", "peakRssMiB", "{:.0f}"),
    ("others %", "othersPercent", "{:.0f}"),
)
OTP_COLUMNS = (
    ("queue p50 ms", "queueMsP50", "{:.1f}"),
    ("queue p99 ms", "queueMsP99", "{:.1f}"),
    ("queue max ms", "queueMsMax", "{:.1f}"),
    ("answer p99 ms", "acceptMsP99", "{:.1f}"),
    ("codes", "codes", "{:.0f}"),
    ("backlog left", "backlogLeft", "{:,.0f}"),
    ("RSS MiB", "peakRssMiB", "{:.0f}"),
)
WORRIES = ("missingSubmits", "duplicateSubmits", "missingCallbacks", "repeatedCallbacks", "failed", "refused")


def values(runs: Iterable[dict[str, Any]], figure: str) -> list[float]:
    """This figure of every run that has it."""
    if figure == "othersPercent":
        return [100 * run["othersShare"] for run in runs if "othersShare" in run]
    return [float(run[figure]) for run in runs if figure in run]


def spread(found: list[float], shape: str) -> str:
    """`median (lowest-highest)`, or a dash when there is nothing."""
    if not found:
        return "-"
    middle = shape.format(statistics.median(found))
    return f"{middle} ({shape.format(min(found))}-{shape.format(max(found))})" if len(found) > 1 else middle


def ratios(runs: Runs, scenario: str, figure: str) -> list[float]:
    """Loa by Kannel, run by run, so that both halves of a pair met the same machine."""
    gateways = runs.get(scenario, {})
    pairs = zip(gateways.get("loa", []), gateways.get("kannel", []), strict=False)
    return [loa[figure] / kannel[figure] for loa, kannel in pairs if kannel.get(figure) and figure in loa]


def _scenario_figure(scenario: Scenario) -> str:
    return "acceptPerSecond" if scenario.unlinked else "messagesPerSecond"


def summary(runs: Runs) -> dict[str, Any]:
    """Median, lowest and highest of every number, and the ratios."""
    found: dict[str, Any] = {}
    for scenario in SCENARIOS:
        gateways = runs.get(scenario.name, {})
        found[scenario.name] = {name: _spans(made) for name, made in gateways.items()}
        pairs = ratios(runs, scenario.name, _scenario_figure(scenario))
        if pairs:
            found[scenario.name]["ratioToKannel"] = _span(pairs)
    return {name: figures for name, figures in found.items() if figures}


def _span(found: list[float]) -> dict[str, float]:
    return {"median": statistics.median(found), "lowest": min(found), "highest": max(found)}


def _spans(made: list[dict[str, Any]]) -> dict[str, Any]:
    figures = {name for run in made for name, value in run.items() if type(value) in {int, float}}
    return {name: _span(values(made, name)) for name in sorted(figures)}


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _rows(runs: Runs, wanted: list[Scenario], columns: tuple[tuple[str, str, str], ...]) -> list[list[str]]:
    rows = [["scenario", "gateway", *(title for title, _, _ in columns)]]
    for scenario in wanted:
        for name, made in runs[scenario.name].items():
            cells = [spread(values(made, figure), shape) for _, figure, shape in columns]
            rows.append([scenario.name, name, *cells])
    return rows


def _worries(runs: Runs) -> list[str]:
    lines = []
    for scenario, gateways in runs.items():
        for name, made in gateways.items():
            for number, run in enumerate(made, 1):
                wrong = [f"{figure} {run[figure]:,}" for figure in WORRIES if run.get(figure)]
                if run.get("complete") is False:
                    wrong.insert(0, "did not finish")
                if wrong:
                    lines.append(f"  {scenario}, {name}, run {number}: {', '.join(wrong)}")
    return lines


def target_values(runs: Runs, target: Target) -> list[float]:
    """What Loa reached for one target, in every run."""
    if target.figure == "ratioToKannel":
        return ratios(runs, target.scenario, "messagesPerSecond")
    wanted = runs if target.scenario == "*" else {target.scenario: runs.get(target.scenario, {})}
    found = [value for gateways in wanted.values() for value in values(gateways.get("loa", []), target.figure)]
    return [max(found)] if found and target.scenario == "*" else found


def verdicts(runs: Runs) -> list[str]:
    """One line a target: what was wanted, what was reached by the median, and whether that is enough."""
    lines = []
    for target in TARGETS:
        found = target_values(runs, target)
        wanted = f"{target.scenario}: {'at most' if target.at_most else 'at least'} {target.value:,} {target.unit}"
        if not found:
            lines.append(f"  not measured  {wanted}")
            continue
        reached = statistics.median(found)
        met = reached <= target.value if target.at_most else reached >= target.value
        lines.append(f"  {'met   ' if met else 'MISSED'}        {wanted}; reached {reached:,.2f}")
    return lines


def text(runs: Runs) -> str:
    """The whole report for people: median (lowest-highest) everywhere."""
    made = [scenario for scenario in SCENARIOS if runs.get(scenario.name)]
    ways = [scenario for scenario in made if not scenario.backlog]
    codes = [scenario for scenario in made if scenario.backlog]
    parts = [_table(_rows(runs, ways, COLUMNS))] if ways else []
    parts += [_table(_rows(runs, codes, OTP_COLUMNS))] if codes else []
    pairs = [(scenario, ratios(runs, scenario.name, _scenario_figure(scenario))) for scenario in made]
    lines = [f"  {scenario.name}: {spread(found, '{:.2f}')}" for scenario, found in pairs if found]
    parts += ["Loa by Kannel, pair by pair:\n" + "\n".join(lines)] if lines else []
    worries = _worries(runs)
    parts.append("Lost, repeated or refused:\n" + "\n".join(worries) if worries else "Lost, repeated or refused: none")
    if any("loa" in gateways for gateways in runs.values()):
        parts.append("Targets:\n" + "\n".join(verdicts(runs)))
    return "\n\n".join(parts)
