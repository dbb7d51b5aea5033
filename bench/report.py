"""Turns runs into medians, spreads, ratios and verdicts, and prints them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

import console
from scenarios import SCENARIOS, TARGETS, Scenario, Target

Runs = dict[str, dict[str, list[dict[str, Any]]]]
"""Scenario name -> name of what was measured -> one dictionary of figures a run, in the order they were made."""

COLUMNS = (
    ("messages/s", "messagesPerSecond", "{:,.0f}"),
    ("requests/s", "acceptPerSecond", "{:,.0f}"),
    ("p50 ms", "acceptMsP50", "{:.1f}"),
    ("p99 ms", "acceptMsP99", "{:.1f}"),
    ("CPU s/1,000", "cpuSecondsPer1000", "{:.3f}"),
    ("database CPU", "databaseCpuSecondsPer1000", "{:.3f}"),
    ("RSS MiB", "peakRssMiB", "{:.0f}"),
    ("database MiB", "databaseMiB", "{:.0f}"),
    ("shared MiB", "databaseSharedMiB", "{:.0f}"),
    ("others %", "othersPercent", "{:.0f}"),
)
LIFE_COLUMNS = (
    ("sent/s", "sentPerSecond", "{:,.0f}"),
    ("delivered/s", "deliveredPerSecond", "{:,.0f}"),
    ("claims/s", "claimsPerSecond", "{:,.0f}"),
    ("sent CPU s/1,000", "sentCpuSecondsPer1000", "{:.3f}"),
    ("database", "sentDatabaseCpuSecondsPer1000", "{:.3f}"),
    ("delivered CPU", "deliveredCpuSecondsPer1000", "{:.3f}"),
    ("database", "deliveredDatabaseCpuSecondsPer1000", "{:.3f}"),
    ("RSS start", "rssStartMiB", "{:.0f}"),
    ("RSS end", "rssEndMiB", "{:.0f}"),
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
COMPARED = (
    ("loa-sqlite", "kannel"),
    ("loa-postgres", "kannel"),
    ("loa-postgres-workers", "kannel"),
    ("loa-postgres", "loa-sqlite"),
    ("loa-postgres-workers", "loa-postgres"),
    ("postgres", "sqlite"),
    ("postgres-2", "postgres"),
    ("sqlite-history", "sqlite"),
    ("postgres-history", "postgres"),
    ("postgres-held", "postgres"),
)
"""Which is divided by which."""
WORRIES = (
    "sentMissing",
    "deliveredMissing",
    "missingSubmits",
    "duplicateSubmits",
    "missingCallbacks",
    "repeatedCallbacks",
    "failed",
    "refused",
)


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


def ratios(runs: Runs, scenario: str, figure: str, above: str, below: str) -> list[float]:
    """One by the other, run by run, so that both halves of a pair met the same machine."""
    measured = runs.get(scenario, {})
    pairs = zip(measured.get(above, []), measured.get(below, []), strict=False)
    return [upper[figure] / lower[figure] for upper, lower in pairs if lower.get(figure) and figure in upper]


def _compared_figures(scenario: Scenario) -> list[str]:
    if scenario.lives:
        held = any(name.endswith("-held") for name in scenario.variants)
        rates = [f"{life}PerSecond" for life in scenario.lives] + (["claimsPerSecond"] if held else [])
        return rates + [f"{life}AllCpuSecondsPer1000" for life in scenario.lives if scenario.history]
    return ["acceptPerSecond" if scenario.unlinked else "messagesPerSecond"]


def all_ratios(runs: Runs, scenario: Scenario) -> dict[str, list[float]]:
    """Every ratio of a scenario, by what it says."""
    found = {
        f"{above} by {below}, {figure}": ratios(runs, scenario.name, figure, above, below)
        for figure in _compared_figures(scenario)
        for above, below in COMPARED
        if not scenario.backlog
    }
    return {name: pairs for name, pairs in found.items() if pairs}


def summary(runs: Runs) -> dict[str, Any]:
    """Median, lowest and highest of every number, and the ratios."""
    found: dict[str, Any] = {}
    for scenario in SCENARIOS:
        measured = runs.get(scenario.name, {})
        found[scenario.name] = {name: _spans(made) for name, made in measured.items()}
        pairs = all_ratios(runs, scenario)
        if pairs:
            found[scenario.name]["ratios"] = {name: _span(each) for name, each in pairs.items()}
    return {name: figures for name, figures in found.items() if figures}


def _span(found: list[float]) -> dict[str, float]:
    return {"median": statistics.median(found), "lowest": min(found), "highest": max(found)}


def _spans(made: list[dict[str, Any]]) -> dict[str, Any]:
    figures = {name for run in made for name, value in run.items() if type(value) in {int, float}}
    engine = {"engine": made[0].get("engine", "")}
    return engine | {name: _span(values(made, name)) for name in sorted(figures)}


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _rows(runs: Runs, wanted: list[Scenario], columns: tuple[tuple[str, str, str], ...]) -> list[list[str]]:
    rows = [["scenario", "measured", "ledger", *(title for title, _, _ in columns)]]
    for scenario in wanted:
        for name, made in runs[scenario.name].items():
            cells = [spread(values(made, figure), shape) for _, figure, shape in columns]
            rows.append([scenario.name, name, made[0].get("engine") or "-", *cells])
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
    """What was reached for one target, in every run."""
    if target.beside:
        return ratios(runs, target.scenario, target.figure, target.variant, target.beside)
    wanted = runs if target.scenario == "*" else {target.scenario: runs.get(target.scenario, {})}
    found = [value for each in wanted.values() for value in values(each.get(target.variant, []), target.figure)]
    return [max(found)] if found and target.scenario == "*" else found


def verdicts(runs: Runs) -> list[str]:
    """One line a target: what was wanted, what was reached by the median, and whether that is enough."""
    lines, unknown = [], 0
    for target in TARGETS:
        found = target_values(runs, target)
        place = "all scenarios" if target.scenario == "*" else target.scenario
        wanted = (
            f"{place}, {target.variant}: {'at most' if target.at_most else 'at least'} {target.value:,g} {target.unit}"
        )
        if not found:
            unknown += 1
            continue
        reached = statistics.median(found)
        met = reached <= target.value if target.at_most else reached >= target.value
        lines.append(f"  {'met   ' if met else 'MISSED'}        {wanted}; reached {reached:,.2f}")
    return [*lines, f"  not measured  {unknown} more"] if unknown else lines


def text(runs: Runs) -> str:
    """The whole report for people: median (lowest-highest) everywhere."""
    made = [scenario for scenario in SCENARIOS if runs.get(scenario.name) and not scenario.console]
    ways = [scenario for scenario in made if not scenario.backlog and not scenario.lives]
    lives = [scenario for scenario in made if scenario.lives]
    codes = [scenario for scenario in made if scenario.backlog]
    parts = [_table(_rows(runs, ways, COLUMNS))] if ways else []
    parts += [_table(_rows(runs, codes, OTP_COLUMNS))] if codes else []
    parts += [_table(_rows(runs, lives, LIFE_COLUMNS))] if lives else []
    pairs = [(scenario.name, name, found) for scenario in made for name, found in all_ratios(runs, scenario).items()]
    lines = [f"  {scenario}, {name}: {spread(found, '{:.2f}')}" for scenario, name, found in pairs]
    parts += [console.text(runs["console"])] if runs.get("console") else []
    parts += ["One by the other, pair by pair:\n" + "\n".join(lines)] if lines else []
    filled = {
        run["engine"]: run for each in runs.values() for made in each.values() for run in made if "fillSeconds" in run
    }
    parts += [
        f"History on {engine}: {run['historyMessages']:,} messages, filled in {run['fillSeconds']:.0f} s"
        for engine, run in filled.items()
    ]
    worries = _worries(runs)
    parts.append("Lost, repeated or refused:\n" + "\n".join(worries) if worries else "Lost, repeated or refused: none")
    if any(name != "kannel" for each in runs.values() for name in each):
        parts.append("Targets:\n" + "\n".join(verdicts(runs)))
    return "\n\n".join(parts)
