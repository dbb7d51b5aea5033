"""The routes of the console's screens."""

from typing import Final

from starlette.routing import BaseRoute, Route

from loa.console import assets, confirm, preferences, sign_ins
from loa.console.batches import BATCHES
from loa.console.channels import channels
from loa.console.message import content, message
from loa.console.messages import messages
from loa.console.overview import overview
from loa.console.parts import Parts
from loa.console.screen import CONFIRM_PATH, Screen
from loa.console.tail import stream, tail
from loa.domain.roles import May

READ: Final = May.READ_MESSAGES

SCREENS: Final[tuple[Screen, ...]] = (
    Screen("/console/", overview, READ),
    Screen("/console/messages", messages, READ),
    Screen("/console/messages/{message_id}", message, READ),
    Screen(
        "/console/messages/{message_id}/content",
        content,
        May.SEE_CONTENT,
        "POST",
        asks_again=True,
        form="/console/messages/{message_id}",
    ),
    Screen("/console/tail", tail, READ),
    Screen("/console/tail/events", stream, READ),
    Screen("/console/channels", channels, READ),
    *BATCHES,
    Screen(CONFIRM_PATH, confirm.ask, READ),
    Screen(CONFIRM_PATH, confirm.confirm, READ, "POST"),
    Screen(sign_ins.PATH, sign_ins.sign_ins, READ),
    Screen(f"{sign_ins.PATH}/end-all", sign_ins.end_all, READ, "POST"),
    Screen(f"{sign_ins.PATH}/{{digest}}/end", sign_ins.end, READ, "POST"),
)
"""Every screen with what it needs; the first whose path fits answers."""

HOME: Final = "/console/"
STILL_OPEN: Final = (assets.FOLDER,)
"""What the gate lets everybody see: the static files."""


def screens(parts: Parts) -> list[BaseRoute]:
    """Give the routes of all screens, of the static files and of the choice of language and theme."""
    return [
        *(each.route(parts) for each in SCREENS),
        Route(assets.PATH, assets.serve, methods=["GET"]),
        Route(preferences.PATH, preferences.choose, methods=["POST"]),
    ]
