"""Screens to send with."""

from typing import Final

from loa.console.batches import BATCHES
from loa.console.screen import Screen
from loa.console.send import act, send, sent
from loa.domain.roles import May

SCREENS: Final = (
    Screen("/console/send", send, May.SEND),
    Screen("/console/send", act, May.SEND, "POST"),
    Screen("/console/send/{referent_id}", sent, May.SEND),
    *BATCHES,
)
