"""`loa certify`."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from loa.certify.engines import Engine
from loa.certify.postgres import PostgresEngine
from loa.certify.report import HEADINGS, Certificate, Stage, as_json, as_markdown, details, row
from loa.certify.run import STAGES, certify
from loa.certify.sqlite import SqliteEngine
from loa.certify.trial import ROUNDS, STORM, Plan
from loa.cli import process
from loa.cli.command import command, group
from loa.cli.failures import Exit, Unwell
from loa.cli.terminal import Terminal
from loa.errors import CallerError

app = group("Prove on this machine that nothing accepted is lost.")

ENGINES: Final[dict[str, Callable[[], Engine]]] = {"sqlite": SqliteEngine, "postgres": PostgresEngine}
SEEDS: Final = 2**31

StageNames = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="STAGE", help="Only this stage; may be repeated.", show_default=False),
]


class Shown:
    """A bar for each stage, on a terminal only."""

    def __init__(self, terminal: Terminal) -> None:
        hidden = terminal.as_json or not terminal.err.is_terminal
        parts = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*parts, console=terminal.err, disable=hidden)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Shown":
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begins(self, stage: Stage, steps: int) -> None:
        """See certify.run.Watcher."""
        self._tasks[stage.name] = self._progress.add_task(stage.name, total=steps)

    def steps_on(self, stage: Stage) -> None:
        """See certify.run.Watcher."""
        self._progress.advance(self._tasks[stage.name])

    def ends(self, stage: Stage) -> None:
        """See certify.run.Watcher."""
        self._progress.update(self._tasks[stage.name], description=f"{stage.name} {stage.word}")
        self._progress.stop_task(self._tasks[stage.name])


@command(
    app,
    "certify",
    example="""
loa certify
loa certify --engine postgres --rounds 200 --report certificate.md
loa certify --only random --rounds 50 --seed 20261118 --json
""",
    settings=False,
)
def certify_command(
    terminal: Terminal,
    *,
    engine: Annotated[
        Literal["sqlite", "postgres"], typer.Option(metavar="sqlite|postgres", help="The ledger's engine.")
    ] = "sqlite",
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="Kills at random moments.")] = ROUNDS,
    storm: Annotated[int, typer.Option(metavar="N", min=1, help="Restarts while load goes on.")] = STORM,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Draw by this lot, as an earlier run did.", show_default=False)
    ] = None,
    only: StageNames = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the certificate as Markdown.", show_default=False)
    ] = None,
) -> int:
    """Kill a real Loa in every way there is, and look for what it had promised.

    Drives load through a Loa of its own, on a folder or a PostgreSQL server of its own, over loopback: no settings are
    read, nothing of yours is touched. Prints what was tried, lost and repeated, and how long recovery took. The exit
    code is 1 when a promise was broken: then the invariant and the lines that prove it are named, and the evidence is
    kept. With --json one line {"certified", "verdict", "stages", …} is written.
    """
    drawn = random.randrange(SEEDS) if seed is None else seed
    plan = Plan(seed=drawn, rounds=rounds, storm=storm, only=_stages(only or []))
    return process.run(carry_out(terminal, plan, ENGINES[engine](), report))


def _stages(wanted: list[str]) -> frozenset[str]:
    known = [kind.name for kind in STAGES]
    for name in wanted:
        if name not in known:
            raise CallerError("stage", f"--only {name}: there is no such stage; choose of: {', '.join(known)}")
    return frozenset(wanted)


async def carry_out(terminal: Terminal, plan: Plan, engine: Engine, report: Path | None = None) -> int:
    """Certify, tell what came of it, and give the exit code. Errors: Unwell when the report cannot be written."""
    terminal.note(f"seed {plan.seed}")
    with Shown(terminal) as watcher:
        running = asyncio.create_task(certify(plan, engine, watcher))
        stopped = asyncio.Event()

        def stop() -> None:
            stopped.set()
            running.cancel()

        process.on_signal(stop)
        try:
            certificate = await running
        except asyncio.CancelledError:
            if not stopped.is_set():
                raise
            raise KeyboardInterrupt from None
    _tell(terminal, certificate)
    if report is not None:
        _write(report, as_markdown(certificate))
    return Exit.OK if certificate.kept else Exit.FAILURE


def _write(report: Path, page: str) -> None:
    try:
        report.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Unwell(f"the report cannot be written to {report}: {error.strerror}; choose another FILE") from error


def _tell(terminal: Terminal, certificate: Certificate) -> None:
    if terminal.as_json:
        terminal.line(as_json(certificate))
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in HEADINGS:
            table.add_column(heading)
        for stage in certificate.stages:
            table.add_row(*row(stage))
        terminal.out.print(table)
        for stage in certificate.stages:
            for line in details(stage):
                terminal.text(line)
        terminal.text(f"{certificate.engine_version}, seed {certificate.seed}, {certificate.took_s:.0f} s")
        terminal.text(certificate.verdict)
    if certificate.evidence is not None:
        terminal.note(
            f"the evidence lies in {certificate.evidence}: journals, logs and the ledger; delete it when read"
        )
