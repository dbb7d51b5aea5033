"""What is stopped because its set-up or its money failed, and when it is tried again.

A stop is for one scope: what goes to numbers does not stop because a consultation message was refused, and an empty
wallet for trials stops trials only. While a scope is stopped nothing leaves; a question to Zalo decides when one
message may go, and only its acceptance ends the stop. Pure; the time is handed in.
"""

from dataclasses import dataclass
from typing import Final

FIRST_S: Final = 60.0
LONGEST_S: Final = 900.0


@dataclass(slots=True)
class Stop:
    """One scope that is stopped. `code`: why. `open`: Zalo answered, so one message may go. Units: until in ms."""

    code: str
    wait_s: float
    until: int
    look_at: float
    open: bool = False
    tried: bool = False


class Stops:
    """All scopes that are stopped. Units: `now` milliseconds since the epoch, `monotonic` seconds."""

    def __init__(self) -> None:
        self._stops: dict[str, Stop] = {}

    @property
    def scopes(self) -> dict[str, Stop]:
        """What is stopped, by scope."""
        return dict(self._stops)

    def trip(self, scope: str, code: str, now: int, monotonic: float) -> bool:
        """Note a refusal that stops a scope; tell whether that is news."""
        known = self._stops.get(scope)
        if known is None:
            self._stops[scope] = Stop(code, FIRST_S, now + int(FIRST_S * 1000), monotonic + FIRST_S)
            return True
        if known.open:
            known.code = code
            self._again(known, now, monotonic)
        return False

    def held(self, scope: str) -> Stop | None:
        """Give the stop that holds a message back; one message at a time may go when it is open."""
        stop = self._stops.get(scope)
        if stop is None or (stop.open and not stop.tried):
            return None
        return stop

    def trying(self, scope: str) -> None:
        """Note that a message goes."""
        stop = self._stops.get(scope)
        if stop is not None:
            stop.tried = True

    def tried(self, scope: str) -> None:
        """Note that a message came back with another answer than acceptance: another may go."""
        stop = self._stops.get(scope)
        if stop is not None:
            stop.tried = False

    def accepted(self, scope: str) -> bool:
        """Note that Zalo took a message; tell whether that ended a stop."""
        stop = self._stops.get(scope)
        if stop is None or not stop.open:
            return False
        del self._stops[scope]
        return True

    def due(self, monotonic: float) -> list[str]:
        """Name the scopes about which Zalo is to be asked now."""
        return [scope for scope, stop in self._stops.items() if not stop.open and stop.look_at <= monotonic]

    def looked(self, scope: str, *, good: bool, now: int, monotonic: float) -> None:
        """Take what Zalo answered about a scope."""
        stop = self._stops.get(scope)
        if stop is None or stop.open:
            return
        if good:
            stop.open, stop.tried, stop.until = True, False, now
        else:
            self._again(stop, now, monotonic)

    @staticmethod
    def _again(stop: Stop, now: int, monotonic: float) -> None:
        stop.wait_s = min(LONGEST_S, stop.wait_s * 2)
        stop.until, stop.look_at = now + int(stop.wait_s * 1000), monotonic + stop.wait_s
        stop.open = stop.tried = False
