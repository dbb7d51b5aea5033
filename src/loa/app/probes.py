"""Probes of a running program: nothing by default; crash tests arm one point through the `probe` setting.

`LOA_PROBE=dispatch.claimed` kills the process with SIGKILL the first time it stands there, `dispatch.claimed:3` the
third time. The points are in ports/probe.py, the tests in tests/crash.
"""

import os
import signal
import threading

from loa.errors import ConfigError
from loa.ports.probe import Point


class NoProbe:
    """Watches nothing."""

    def armed(self, point: Point) -> bool:  # noqa: ARG002 - the answer is the same for every point
        """Nothing waits at any point."""
        return False

    def reached(self, point: Point) -> None:
        """Do nothing."""


class KillingProbe:
    """Ends the process the hard way at one point, the n-th time it is reached."""

    def __init__(self, point: Point, count: int) -> None:
        self._point = point
        self._left = count
        self._lock = threading.Lock()

    def armed(self, point: Point) -> bool:
        """Tell whether this is the point."""
        return point is self._point

    def reached(self, point: Point) -> None:
        """Count, and kill the process when the count is up."""
        if point is not self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def probe_from(setting: str) -> NoProbe | KillingProbe:
    """Read the `probe` setting. Errors: ConfigError naming the points there are."""
    if not setting:
        return NoProbe()
    name, _, count = setting.partition(":")
    try:
        return KillingProbe(Point(name), int(count or "1"))
    except ValueError as error:
        points = ", ".join(point.value for point in Point)
        raise ConfigError(f"probe = {setting!r}: write POINT or POINT:COUNT; the points are {points}") from error
