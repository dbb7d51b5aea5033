"""Screens that there are only where there is a simulated world."""

from typing import Final

from loa.console import handset_acts, handsets
from loa.console.screen import Screen
from loa.domain.roles import May

READ: Final = May.READ_MESSAGES

SCREENS: Final = (
    Screen(handsets.PATH, handsets.handsets, READ),
    Screen(f"{handsets.PATH}/events", handsets.stream, READ),
    Screen(f"{handsets.PATH}/send", handset_acts.send, May.SEND, "POST"),
    Screen(f"{handsets.PATH}/knobs", handset_acts.turn, May.SETTLE, "POST"),
    Screen(f"{handsets.PATH}/reply", handset_acts.reply, May.SEND, "POST"),
    Screen(f"{handsets.PATH}/crash", handset_acts.crash, May.SETTLE, "POST"),
)
