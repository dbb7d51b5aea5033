"""Screens to watch with: overview, messages, the live tail, what waits for a person."""

from typing import Final

from loa.console import actions, export, lookup, submission, unknown
from loa.console.message import content, message
from loa.console.messages import messages
from loa.console.overview import overview
from loa.console.screen import Screen
from loa.console.tail import stream, tail
from loa.domain.roles import May

READ: Final = May.READ_MESSAGES
MESSAGE: Final = "/console/messages/{message_id}"

SCREENS: Final = (
    Screen("/console/", overview, READ),
    Screen("/console/messages", messages, READ),
    Screen(actions.PATH, actions.preview, May.SETTLE),
    Screen(actions.PATH, actions.start, May.SETTLE, "POST"),
    Screen(f"{actions.PATH}/{{errand}}", actions.progress, May.SETTLE),
    Screen(f"{actions.PATH}/{{errand}}/stop", actions.stop, May.SETTLE, "POST"),
    Screen(export.PATH, export.export, READ, "POST"),
    Screen(MESSAGE, message, READ),
    Screen(f"{MESSAGE}/content", content, May.SEE_CONTENT, "POST", asks_again=True, form=MESSAGE),
    Screen(submission.PATH, submission.submission, READ),
    Screen(unknown.PATH, unknown.unknown, READ),
    Screen(lookup.PATH, lookup.search, READ),
    Screen("/console/tail", tail, READ),
    Screen("/console/tail/events", stream, READ),
)
