"""`loa doctor`."""

from typing import Final

from rich.text import Text

from loa.app.doctor import examine
from loa.app.findings import Finding, Level
from loa.cli.command import command, group
from loa.cli.failures import Exit
from loa.cli.terminal import Terminal

app = group("Look for what is wrong, and say how to cure it.")

_STYLES: Final = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@command(app, "doctor", example="loa doctor\nloa doctor --data /var/lib/loa --json")
async def doctor(terminal: Terminal) -> int:
    """Look at Python, clock, disk, rights, port, ledger and channels; exit code 1 if something must be cured.

    Where the ledger is on PostgreSQL: at the server, its settings, its clock, its connections, and the schema.

    Changes nothing, and works beside a running Loa.
    """
    with terminal.working("looking"):
        findings = await examine(terminal.settings)
    if terminal.as_json:
        terminal.line(
            {
                "ok": _well(findings),
                "findings": [
                    {"name": each.name, "level": each.level.value, "detail": each.detail, "cure": each.cure or None}
                    for each in findings
                ],
            }
        )
    else:
        for each in findings:
            _show(terminal, each)
    return Exit.OK if _well(findings) else Exit.FAILURE


def _well(findings: list[Finding]) -> bool:
    return all(each.level is not Level.FAIL for each in findings)


def _show(terminal: Terminal, finding: Finding) -> None:
    line = Text.assemble((finding.level.value.ljust(4), _STYLES[finding.level]), f"  {finding.name}: {finding.detail}")
    terminal.out.print(line, soft_wrap=True)
    if finding.cure:
        terminal.out.print(Text(f"      cure: {finding.cure}"), soft_wrap=True)
