"""`loa demo`."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from loa.app.admin_reach import NobodyThere, ask_running
from loa.app.control_wire import socket_path
from loa.app.demo import Demo, Ready
from loa.app.demo_furnish import TENANT
from loa.cli import process
from loa.cli.command import command, group
from loa.cli.demo_banner import banner
from loa.cli.demo_view import DemoView, Newest
from loa.cli.failures import Exit
from loa.cli.terminal import Terminal
from loa.errors import StorageError
from loa.settings.tree import Settings

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
    """Run a gateway with a simulated Zalo, SMSC and callback receiver, on this machine only.

    The gateway runs in a process of its own: when it is killed it is started again, and goes on.

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
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(running.wait()), asyncio.create_task(stopped.wait())]
    if view is None:
        terminal.line(_line(ready))
    else:
        terminal.text(banner(ready))
        tasks.append(asyncio.create_task(view.run(_newest(running.settings))))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return Exit.OK
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await running.stop()


def _newest(settings: Settings) -> Newest:
    """Ask the gateway over its control socket."""

    async def ask(limit: int) -> Sequence[Mapping[str, Any]]:
        wanted = {"tenant": TENANT, "limit": limit}
        try:
            found: Mapping[str, Any] = await ask_running(socket_path(settings.data_dir), "reading.messages", wanted)
        except (NobodyThere, StorageError):
            return ()
        messages: Sequence[Mapping[str, Any]] = found["messages"]
        return messages

    return ask


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
