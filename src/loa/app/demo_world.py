"""The outside of a demo: SMSC, Zalo and callback receiver, their knobs and handsets, and the order to crash.

It lives in the process of the supervisor, so that it stays while the gateway dies.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from loa.app.demo_handsets import Handsets
from loa.app.demo_knobs import KNOBS, LINK, smsc_script, zalo_script
from loa.app.demo_state import DemoState
from loa.app.demo_zalo import SCRIPT as ZALO_SCRIPT
from loa.app.demo_zalo import zalo_simulator
from loa.app.servers import is_free
from loa.console.world import Crash, Handset, Reached, Sight
from loa.errors import CallerError
from loa.ports.clock import Clock
from loa.simulators.receiver.server import CallbackReceiver, Delivery
from loa.simulators.smsc.events import SmscEvent
from loa.simulators.smsc.script import Fortune, Script
from loa.simulators.smsc.server import SmscSimulator
from loa.simulators.zalo.watch import ZaloEvent
from loa.simulators.zalo.world import User

LOOPBACK: Final = "127.0.0.1"
CALLBACK_PATH: Final = "/callbacks"
EVENTS_PATH: Final = "/v1/hooks/zalo"
SMSC_JOURNAL: Final = "demo-smsc.jsonl"
RECEIVER_JOURNAL: Final = "demo-receiver.jsonl"
HOLD_S: Final = 10.0
"""The next messages are answered at once again after this, even if no crash came."""
TEXT_MAX: Final = 500
SCRIPT: Final = Script(
    receipt_delay_s=1.0,
    fortunes=(
        Fortune("UNDELIV", digits="90"),
        Fortune("REJECTD", digits="91"),
        Fortune("EXPIRED", digits="92"),
        Fortune("NONE", digits="98"),
    ),
)
"""Receipts come after a second, so that people see the state before; the endings are those of the sandbox."""


def _unwatched(_event: object) -> None:
    """Watch nothing."""


class DemoWorld:
    """The simulators of one demo. `on_…`: hear of everything they see. `kill`: ends the gateway the hard way."""

    def __init__(
        self,
        data_dir: Path,
        state: DemoState,
        clock: Clock,
        *,
        kill: Callable[[], None],
        on_smsc: Callable[[SmscEvent], None] = _unwatched,
        on_callback: Callable[[Delivery], None] = _unwatched,
        on_zalo: Callable[[ZaloEvent], None] = _unwatched,
    ) -> None:
        self._clock = clock
        self._kill = kill
        self._on_smsc = on_smsc
        self._on_zalo = on_zalo
        self._on_callback = on_callback
        self._version = 0
        self._on: set[str] = set()
        self._held_for = ""
        self._crash: Crash | None = None
        self._events_url = ""
        self.calls: Mapping[str, str] = {}
        self.handsets = Handsets(self._changed)
        self.smsc = SmscSimulator(
            LOOPBACK, _port(state.smsc_port), script=SCRIPT, journal=data_dir / SMSC_JOURNAL, on_event=self._heard_smsc
        )
        self.receiver = CallbackReceiver(
            LOOPBACK,
            _port(state.receiver_port),
            journal=data_dir / RECEIVER_JOURNAL,
            secret=state.callback_secret,
            on_event=self._heard_callback,
        )
        self.zalo = zalo_simulator(data_dir, LOOPBACK, _port(state.zalo_port), self._heard_zalo)

    async def start(self) -> None:
        """Start the simulators. Errors: OSError."""
        await self.smsc.start()
        await self.receiver.start()
        await self.zalo.start()

    async def stop(self) -> None:
        """Stop them."""
        await self.smsc.stop()
        await self.receiver.stop()
        await self.zalo.stop()

    def tell_events(self, url: str) -> None:
        """Have Zalo post its events to a gateway."""
        self._events_url = url + EVENTS_PATH
        self._play()

    @property
    def callback_url(self) -> str:
        """Where the tenant of the demo takes its callbacks."""
        return self.receiver.url + CALLBACK_PATH

    def _changed(self) -> None:
        self._version += 1

    def _heard_smsc(self, event: SmscEvent) -> None:
        self.handsets.on_smsc(event)
        self._on_smsc(event)

    def _heard_callback(self, delivery: Delivery) -> None:
        self.handsets.on_callback(delivery)
        self._on_callback(delivery)

    def _heard_zalo(self, event: ZaloEvent) -> None:
        self.handsets.on_zalo(event)
        self._on_zalo(event)

    # what is asked

    def look(self, handset: int = 0) -> Sight:
        """Give what there is to see."""
        handsets = self.handsets.newest()
        chosen = self.handsets.handset(handset) or (handsets[0] if handsets else None)
        return Sight(
            version=self._version,
            handsets=handsets,
            chosen=chosen,
            bubbles=self.handsets.bubbles(chosen) if chosen is not None else (),
            knobs=tuple(name for name in KNOBS if name in self._on),
            crash=self._crash,
            reached=self._reached(),
            calls=self.calls,
        )

    def _reached(self) -> Reached:
        crash = self._crash
        return self.handsets.reached(crash.run) if crash is not None and crash.run else Reached()

    # knobs

    def turn(self, knob: str, *, on: bool) -> None:
        """Turn a knob; it acts on the next message. Errors: CallerError."""
        if knob not in KNOBS:
            raise CallerError("unknown_knob", f"there is no knob {knob!r}; there are: {', '.join(KNOBS)}")
        (self._on.add if on else self._on.discard)(knob)
        self._play()
        if knob == LINK and on:
            self.smsc.reset_all()

    def normal(self) -> None:
        """Turn every knob off."""
        self._on.clear()
        self._play()

    def hold(self, run: str) -> None:
        """Leave the last messages of a run without an answer; it ends with the crash, or by itself."""
        self._held_for = run
        self._play(recount=True)
        asyncio.get_running_loop().call_later(HOLD_S, self._let_go, run)

    def _let_go(self, run: str) -> None:
        if self._held_for == run:
            self._held_for = ""
            self._play()

    def _play(self, *, recount: bool = False) -> None:
        self.smsc.change(smsc_script(SCRIPT, self._on, held=bool(self._held_for)), recount=recount)
        self.zalo.change(zalo_script(replace(ZALO_SCRIPT, events_url=self._events_url), self._on))
        self._changed()

    # what people do with their handsets

    def say(self, handset: int, text: str) -> None:
        """Let the person write to the Official Account. Errors: CallerError."""
        found = self._handset(handset)
        if not text.strip() or len(text) > TEXT_MAX:
            raise CallerError("reply", f"a reply has 1 to {TEXT_MAX} characters")
        message_id = self.zalo.acts.say(self._user(found), text.strip())
        self.handsets.said(found, text.strip(), self._clock.now(), message_id)

    def follow(self, handset: int) -> None:
        """Let the person follow the Official Account. Errors: CallerError."""
        found = self._handset(handset)
        self.zalo.acts.follow(self._user(found))
        self.handsets.followed(found)

    def _handset(self, handset: int) -> Handset:
        found = self.handsets.handset(handset)
        if found is None:
            raise CallerError("unknown_handset", "there is no such handset; it comes with its first message")
        return found

    def _user(self, handset: Handset) -> str:
        """Give the user id of a handset on Zalo; it gets one when it is needed first."""
        oa = self.zalo.oa()
        if handset.number in oa.users:
            return handset.number
        known = oa.numbers.get(handset.number)
        if known is None:
            known = User(f"9{handset.number.zfill(18)}", handset.number, follower=False, admin=False)
            self.zalo.acts.add_user(known)
        return known.user_id

    # the crash

    def crash(self, *, run: str, newest: int, before: Mapping[str, int]) -> None:
        """Kill the gateway now."""
        self._crash = Crash(run, newest, before, Reached(), self._clock.now())
        self._crash = replace(self._crash, reached_before=self._reached())
        self._changed()
        self._kill()
        self._let_go(run)

    def gateway_is_back(self) -> None:
        """Note that the gateway serves again."""
        if self._crash is not None and not self._crash.back_at:
            self._crash = replace(self._crash, back_at=self._clock.now())
            self._changed()

    def do(self, verb: str, args: Mapping[str, Any]) -> Any:
        """Do what the door is asked for. Errors: CallerError."""
        match verb:
            case "world.turn":
                self.turn(str(args["knob"]), on=bool(args["on"]))
            case "world.normal":
                self.normal()
            case "world.say":
                self.say(int(args["handset"]), str(args["text"]))
            case "world.follow":
                self.follow(int(args["handset"]))
            case "world.crash":
                self.crash(**args)
            case _:
                raise CallerError("unknown_verb", f"there is no verb {verb!r}")


def _port(wanted: int) -> int:
    """Take the port of the last time where it is free, else any."""
    return wanted if is_free(LOOPBACK, wanted) else 0
