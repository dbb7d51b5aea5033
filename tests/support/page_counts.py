"""How many pages of the server a node's own statements touch: that is the same on every machine, where time is not.

The server explains each statement that it runs and sends that along; nothing of the node is changed.
"""

import json
from typing import Any

from loa.ledger.postgres.connection import Line
from tests.support.shared_ledger import APP, SharedLedger

_EXPLAINING = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "client_min_messages": "log",
}


class PageCounts:
    """Adds up the pages of all statements of some lines."""

    def __init__(self) -> None:
        self.pages = 0

    @staticmethod
    async def explain(shared: SharedLedger) -> None:
        """Have the server explain what nodes do that are opened from here on."""
        name = shared.url.rpartition("/")[2]
        async with shared.sql() as connection:
            await connection.execute("LOAD 'auto_explain'")
            for setting, value in _EXPLAINING.items():
                await connection.execute(f"ALTER ROLE {APP} IN DATABASE \"{name}\" SET {setting} = '{value}'")

    async def listen(self, lines: list[Line]) -> None:
        """Count what is done over these lines."""
        for line in lines:
            (await line.connect()).add_log_listener(self._hear)

    def take(self) -> int:
        """Give what was counted since the last time."""
        pages, self.pages = self.pages, 0
        return pages

    def _hear(self, _connection: object, message: Any) -> None:
        _, found, plan = str(message.message).partition("plan:\n")
        if found:
            self.pages += _pages(json.loads(plan)["Plan"], top=True)


def _pages(node: dict[str, Any], *, top: bool = False) -> int:
    """A node's pages hold those below it, but for what WITH writes: that is done apart."""
    apart = top or (node["Node Type"] == "ModifyTable" and node.get("Subplan Name", "").startswith("CTE"))
    own = int(node["Shared Hit Blocks"]) + int(node["Shared Read Blocks"]) if apart else 0
    return own + sum(_pages(below) for below in node.get("Plans", ()))
