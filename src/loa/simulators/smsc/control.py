"""What the control port of a running SMSC takes.

Shapes: {"do":"status"} · {"do":"script","set":{…},"recount":true} · {"do":"reset"} · {"do":"close"} · {"do":"unbind"}.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from loa.simulators.control import Command, fields_of
from loa.simulators.smsc.script import script_from, script_values
from loa.simulators.smsc.server import SmscSimulator


def _status(simulator: SmscSimulator, _: dict[str, Any]) -> dict[str, Any]:
    return {"port": simulator.port, "counts": asdict(simulator.counts)}


def _script(simulator: SmscSimulator, command: dict[str, Any]) -> dict[str, Any]:
    if "set" in command:
        changed = script_from(fields_of(command, "set"), simulator.script)
        simulator.change(changed, recount=bool(command.get("recount")))
    return {"script": script_values(simulator.script)}


COMMANDS: Final[Mapping[str, Command[SmscSimulator]]] = {
    "status": _status,
    "script": _script,
    "reset": lambda simulator, _: {"links": simulator.reset_all()},
    "close": lambda simulator, _: {"links": simulator.close_all()},
    "unbind": lambda simulator, _: {"links": simulator.unbind_all()},
}
