"""Events on their way out: whether they are wanted, what the script does to them, and what came of each try."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from loa.ports.clock import Clock
from loa.simulators.alarms import Alarms
from loa.simulators.journal import Journal
from loa.simulators.waits import Waits
from loa.simulators.zalo.notices import Notice, notice
from loa.simulators.zalo.platform import Platform
from loa.simulators.zalo.poster import Poster
from loa.simulators.zalo.script import EventFault
from loa.simulators.zalo.state import OaState
from loa.simulators.zalo.watch import Posted, Watcher, ZaloCounts


class Mail:
    """Posts the events of all Official Accounts."""

    def __init__(
        self, platform: Platform, alarms: Alarms, journal: Journal, emit: Watcher, waits: Waits[ZaloCounts]
    ) -> None:
        self._platform = platform
        self._clock: Clock = platform.clock
        self._alarms = alarms
        self._journal = journal
        self._emit = emit
        self._waits = waits
        self._numbers = 0
        self.poster = Poster(alarms, platform.counts, self._told)
        self.change()

    def change(self, *, recount: bool = False) -> None:
        """Take over the script in force."""
        self.poster.script = self._platform.script
        if recount:
            self._numbers = 0

    def post(self, oa: OaState, body: Mapping[str, Any], *, marked: bool) -> bool:
        """Post an event, if somebody wants it; the script may spoil it. Says whether it is on its way."""
        script = self._platform.script
        url = oa.told.events_url or script.events_url
        if not url or (script.ticked and body["event_name"] not in script.ticked):
            return False
        self._platform.counts.events += 1
        self._numbers += 1
        made = notice(oa, url, body, marked=marked)
        fault = next((each for each in script.event_faults if self._means(each, made.name)), None)
        if fault is None:
            self.poster.post(made)
            return True
        self._spoil(fault, made)
        return fault.does != "drop"

    def _means(self, fault: EventFault, name: str) -> bool:
        return fault.event in ("", name) and fault.pick.picks(self._numbers)

    def _spoil(self, fault: EventFault, made: Notice) -> None:
        match fault.does:
            case "drop":
                self._platform.counts.events_lost += 1
            case "duplicate":
                for _ in range(fault.copies):
                    self.poster.post(replace(made))
            case "delay":
                self._alarms.after(fault.seconds, partial(self.poster.post, made))
            case "wrong_signature":
                # The sum is right but for its last digit, as if one octet of the body had changed.
                last = "0" if made.signature[-1] != "0" else "1"
                self.poster.post(replace(made, signature=made.signature[:-1] + last))
        self._waits.changed()

    def _told(self, sent: Notice, status: int) -> None:
        at = self._clock.now()
        line = {"kind": "event", "at": at, "event": sent.name, "tries": sent.tries, "status": status}
        self._journal.append({**line, "body": json.loads(sent.body)} if self._journal.kept else None)
        self._emit(Posted(at, sent.name, sent.tries, status))
        self._waits.changed()
