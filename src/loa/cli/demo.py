"""`loa demo`."""

import asyncio
from typing import Annotated, Any

import typer

from loa.app.demo import Demo, Ready
from loa.cli import process
from loa.cli.command import command, group
from loa.cli.demo_banner import banner
from loa.cli.demo_view import DemoView
from loa.cli.terminal import Terminal

app = group("Run a whole Loa with simulated networks, to try it.")

Port = Annotated[
    int | None, typer.Option(metavar="N", help="Port of the API; 8080 without, 0 for a free one.", show_default=False)
]


@command(
    app,
    "demo",
    example="""
loa demo
loa demo --port 8081 --data /tmp/loa-demo
loa demo --json --port 0 --data /tmp/loa-demo
""",
)
def demo(terminal: Terminal, *, port: Port = None) -> int:
    """Run gateway, Zalo, SMSC and callback receiver in one process, on this machine only.

    Prints curls to paste and then shows what happens. With --json it prints one line {"url", "apiKey", "testApiKey",
    "sender", "smsc", "receiver", "console", "zalo"} when it is ready, and is quiet then; "console" is a link
    into the console, good once; "zalo" holds "example", the members of a request that goes over Zalo, and "notOnZalo",
    a number that gets it by SMS. A second start in the same folder goes on where the first ended, with the same keys.
    """
    terminal.give("server.listen_port", port)
    if terminal.loaded.origins["log.level"] == "default":
        terminal.give("log.level", "warning")
    process.start_log(terminal.settings, terminal)
    return process.run(_quiet(terminal) if terminal.as_json else _shown(terminal))


async def _quiet(terminal: Terminal) -> int:
    return await _go(terminal, Demo(terminal.settings), None)


async def _shown(terminal: Terminal) -> int:
    view = DemoView(terminal.out)
    return await _go(
        terminal,
        Demo(terminal.settings, on_smsc=view.on_smsc, on_callback=view.on_callback, on_zalo=view.on_zalo),
        view,
    )


async def _go(terminal: Terminal, running: Demo, view: DemoView | None) -> int:
    stopped = asyncio.Event()
    process.on_signal(stopped.set)
    ready = await running.start()
    gateway, tenant = running.gateway, running.tenant
    assert gateway is not None
    assert tenant is not None
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(gateway.wait()), asyncio.create_task(stopped.wait())]
    if view is None:
        terminal.line(_line(ready))
    else:
        terminal.text(banner(ready))
        tasks.append(asyncio.create_task(view.run(gateway.ledger, tenant.id)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return gateway.exit_code
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await running.stop()


def _line(ready: Ready) -> dict[str, Any]:
    return {
        "url": ready.url,
        "apiKey": ready.api_key,
        "testApiKey": ready.test_api_key,
        "sender": ready.sender,
        "smsc": ready.smsc,
        "receiver": ready.receiver,
        "console": ready.console,
        "zalo": {"example": dict(ready.zalo_example), "notOnZalo": ready.not_on_zalo},
    }
