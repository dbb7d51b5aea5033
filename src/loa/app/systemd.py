"""Telling the service manager how this process does, where one listens. Source: sd_notify(3).

READY=1 once everything serves, STOPPING=1 when the end begins, WATCHDOG=1 from the event loop for as long as it turns.
"""

import socket
from collections.abc import Mapping
from typing import Final

from loa.observe.log import get_logger
from loa.ports.clock import Clock

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"

log = get_logger("loa.app.systemd")


class Systemd:
    """Sends datagrams to the manager's socket; does nothing where the environment names none."""

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        meant = environment.get("WATCHDOG_PID", "") in ("", str(pid))
        watched_us = environment.get("WATCHDOG_USEC", "")
        self.interval_s = int(watched_us) / 2_000_000 if meant and watched_us.isdecimal() else 0.0

    def say(self, state: str) -> None:
        """Send one state; a manager that does not take it is no reason to stop."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(state.encode(), address)
        except OSError as error:
            log.warning("the service manager could not be told", state=state, error=error)

    async def watch(self, clock: Clock) -> None:
        """Say that the event loop turns, twice in the time the manager waits; until cancelled."""
        while self._address and self.interval_s:
            self.say(ALIVE)
            await clock.sleep(self.interval_s)
