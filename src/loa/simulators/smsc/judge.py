"""What becomes of one submit under a script: pure arithmetic over counters, so that a script always plays the same."""

import zlib
from dataclasses import dataclass
from typing import Final

from loa.simulators.smsc.script import Fortune, Script
from loa.smpp.payload import Part


@dataclass(frozen=True, slots=True)
class Fate:
    """What is done with one submit. `status` 0: it is accepted. `reset`: at which point the connection is cut."""

    status: int = 0
    delay_s: float = 0.0
    dropped: bool = False
    copies: int = 1
    garbage: bool = False
    reset: str = ""
    unbind: bool = False


PLAIN: Final = Fate()
_DELIVERED: Final = Fortune("DELIVRD")


class Judge:
    """Decides by the script and by the number of the submit; the rate limit alone looks at the time."""

    __slots__ = ("_number", "_plain", "_script", "_tokens", "_topped_up_at")

    def __init__(self, script: Script) -> None:
        self._number = 0
        self._tokens = 0.0
        self._topped_up_at = 0.0
        self._take(script)

    @property
    def script(self) -> Script:
        """The script in force."""
        return self._script

    def change(self, script: Script, *, recount: bool = False) -> None:
        """Put another script in force; with `recount` the next submit is number 1 again."""
        self._take(script)
        if recount:
            self._number = 0

    def _take(self, script: Script) -> None:
        self._script = script
        self._tokens = max(script.rate_per_s, 1.0)
        picks = (script.throttle, script.drop_response, script.duplicate_response, script.garbage, script.reset)
        self._plain = not (script.refuse or script.rate_per_s or script.response_delay_s or script.unbind or any(picks))

    def fate(self, destination: str, monotonic: float) -> Fate:
        """Decide the next submit. Units: monotonic in seconds."""
        self._number += 1
        if self._plain:
            return PLAIN
        script, number = self._script, self._number
        delayed = script.response_delay_s > 0 and script.delayed.picks(number, destination)
        return Fate(
            status=self._status(number, destination, monotonic),
            delay_s=script.response_delay_s if delayed else 0.0,
            dropped=script.drop_response.picks(number, destination),
            copies=2 if script.duplicate_response.picks(number, destination) else 1,
            garbage=script.garbage.picks(number, destination),
            reset=script.reset_point if script.reset.picks(number, destination) else "",
            unbind=script.unbind.picks(number, destination),
        )

    def _status(self, number: int, destination: str, monotonic: float) -> int:
        script = self._script
        for refusal in script.refuse:
            if refusal.pick.picks(number, destination):
                return refusal.status
        if script.throttle.picks(number, destination) or not self._within_rate(monotonic):
            return script.throttle_status
        return 0

    def _within_rate(self, monotonic: float) -> bool:
        """Take a token of a bucket that holds one second's worth."""
        rate = self._script.rate_per_s
        if rate <= 0:
            return True
        if self._topped_up_at:
            earned = (monotonic - self._topped_up_at) * rate
            self._tokens = min(self._tokens + earned, max(rate, 1.0))
        self._topped_up_at = monotonic
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def fortune(script: Script, destination: str, key: str) -> Fortune:
    """Choose how a message ends; the same `key` always falls to the same share."""
    if not script.fortunes:
        return _DELIVERED
    at, reached = zlib.crc32(key.encode("utf-8", "replace")) / 2**32, 0.0
    for rule in script.fortunes:
        if destination.endswith(rule.digits):
            reached += rule.share
            if at < reached:
                return rule
    return _DELIVERED


def owed(script: Script, part: Part | None, registered: int, stat: str) -> tuple[str, ...]:
    """List the states that are to be reported, by what the client asked for and what the script reports.

    Source: SMPP 3.4 section 5.2.17: 1 every end, 2 failures only, 3 success only.
    """
    wanted = registered & 0x03
    if not wanted or (wanted == 2 and stat == "DELIVRD") or (wanted == 3 and stat != "DELIVRD"):
        return ()
    if part is not None and script.receipt_parts != "all":
        reported = 1 if script.receipt_parts == "first" else part.total
        if part.number != reported:
            return ()
    final = () if stat == "NONE" else (stat,)
    return ("ENROUTE", *final) if script.enroute_first else final
