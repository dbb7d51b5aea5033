"""Screens that there are only where there is a simulated world."""

from typing import Final

from loa.console import phone, phone_acts
from loa.console.screen import Screen
from loa.domain.roles import May

READ: Final = May.READ_MESSAGES

SCREENS: Final = (
    Screen(phone.PATH, phone.phone, READ),
    Screen(f"{phone.PATH}/events", phone.stream, READ),
    Screen(f"{phone.PATH}/send", phone_acts.send, May.SEND, "POST"),
    Screen(f"{phone.PATH}/knobs", phone_acts.turn, May.SETTLE, "POST"),
    Screen(f"{phone.PATH}/reply", phone_acts.reply, May.SEND, "POST"),
    Screen(f"{phone.PATH}/crash", phone_acts.crash, May.SETTLE, "POST"),
)
