"""The handsets of a demo: what each of them got, over either network, and what its person wrote."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from loa.console.world import Bubble, Handset, Reached
from loa.simulators.receiver.server import Delivery
from loa.simulators.smsc.events import Shown, SmscEvent, Taken
from loa.simulators.zalo.watch import Shown as ShownOnZalo
from loa.simulators.zalo.watch import ZaloEvent

BUBBLES_KEPT: Final = 5_000
HANDSETS_SHOWN: Final = 60
BUBBLES_SHOWN: Final = 30
ENCODINGS: Final = {0: "gsm7", 8: "ucs2"}


class Handsets:
    """Listens to both simulators. `changed` is told of every new bubble."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._bubbles: deque[tuple[int, Bubble]] = deque(maxlen=BUBBLES_KEPT)
        self._handsets: dict[str, Handset] = {}
        self._numbers: list[str] = []
        self._made = 0
        self._coding = 0
        self._unreported: dict[str, int] = {}

    # heard from the simulators

    def on_smsc(self, event: SmscEvent) -> None:
        """Hear of something at the SMSC."""
        if isinstance(event, Taken):
            self._coding = event.data_coding
        elif isinstance(event, Shown):
            encoding = ENCODINGS.get(self._coding, "")
            self._add(event.destination, event.at, "sms", event.source, event.text, encoding, event.parts)

    def on_zalo(self, event: ZaloEvent) -> None:
        """Hear of something at Zalo."""
        if isinstance(event, ShownOnZalo):
            self._add(event.destination, event.at, "zalo", event.oa_name, event.text)

    def on_callback(self, delivery: Delivery) -> None:
        """Hear of a callback: one that reports what a person wrote is noted there."""
        found = next((name for name in self._unreported if name.encode() in delivery.body), "")
        if not found or not 200 <= delivery.status < 300:
            return
        made = self._unreported.pop(found)
        for at, (owner, bubble) in enumerate(self._bubbles):
            if bubble.id == made:
                self._bubbles[at] = (owner, replace(bubble, reported=True))
        self._changed()

    def said(self, handset: Handset, text: str, at: int, message_id: str) -> None:
        """Note what the person wrote over Zalo, with the id that Zalo gave it."""
        self._unreported[message_id] = self._add(handset.number, at, "zalo", "", text, theirs=True)

    def followed(self, handset: Handset) -> None:
        """Note that the person follows."""
        known = self._handsets[handset.number]
        self._handsets[handset.number] = replace(known, follows=True)
        self._changed()

    def _add(
        self,
        number: str,
        at: int,
        network: str,
        sender: str,
        text: str,
        encoding: str = "",
        parts: int = 0,
        *,
        theirs: bool = False,
    ) -> int:
        known = self._handsets.get(number)
        if known is None:
            self._numbers.append(number)
            known = Handset(len(self._numbers), number, at, 0)
        self._handsets.pop(number, None)
        self._handsets[number] = Handset(known.id, number, at, known.count + 1, known.follows)
        self._made += 1
        self._bubbles.append((known.id, Bubble(self._made, at, network, sender, text, encoding, parts, theirs)))
        self._changed()
        return self._made

    # asked by whoever looks

    def newest(self) -> tuple[Handset, ...]:
        """Give the handsets, the one with the newest text first."""
        return tuple(reversed(self._handsets.values()))[:HANDSETS_SHOWN]

    def handset(self, number: int) -> Handset | None:
        """Give a handset by its id."""
        return self._handsets[self._numbers[number - 1]] if 0 < number <= len(self._numbers) else None

    def bubbles(self, handset: Handset) -> tuple[Bubble, ...]:
        """Give the newest texts of a handset, oldest first."""
        found = [bubble for owner, bubble in self._bubbles if owner == handset.id]
        return tuple(found[-BUBBLES_SHOWN:])

    def reached(self, mark: str) -> Reached:
        """Count the texts that hold a mark, and the handsets that got them."""
        found = [owner for owner, bubble in self._bubbles if mark in bubble.text and not bubble.theirs]
        return Reached(len(found), len(set(found)))
