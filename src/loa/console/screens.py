"""The routes of the console's screens."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loa.console import assets, phone, phone_acts, preferences
from loa.console.channels import channels
from loa.console.message import content, message
from loa.console.messages import messages
from loa.console.overview import overview
from loa.console.parts import Parts
from loa.console.tail import stream, tail

Screen = Callable[[Request, Parts], Awaitable[Response]]

SCREENS: Final[tuple[tuple[str, Screen, str], ...]] = (
    ("/console/", overview, "GET"),
    ("/console/messages", messages, "GET"),
    ("/console/messages/{message_id}", message, "GET"),
    ("/console/messages/{message_id}/content", content, "POST"),
    ("/console/tail", tail, "GET"),
    ("/console/tail/events", stream, "GET"),
    ("/console/channels", channels, "GET"),
)
"""Path, what answers, and to which method. The gate guards those that are not safe."""

OF_A_DEMO: Final[tuple[tuple[str, Screen, str], ...]] = (
    (phone.PATH, phone.phone, "GET"),
    (f"{phone.PATH}/events", phone.stream, "GET"),
    (f"{phone.PATH}/send", phone_acts.send, "POST"),
    (f"{phone.PATH}/knobs", phone_acts.turn, "POST"),
    (f"{phone.PATH}/reply", phone_acts.reply, "POST"),
    (f"{phone.PATH}/crash", phone_acts.crash, "POST"),
)
"""Likewise, but only where there is a simulated world."""

HOME: Final = "/console/"
PHONE: Final = phone.PATH
STILL_OPEN: Final = (assets.FOLDER,)
"""What the gate lets everybody see: the static files."""


def screens(parts: Parts) -> list[BaseRoute]:
    """Give the routes of all screens, of the static files and of the choice of language and theme."""
    served = SCREENS if parts.world is None else (*SCREENS, *OF_A_DEMO)
    return [
        *(Route(path, _with(parts, screen), methods=[method]) for path, screen, method in served),
        Route(assets.PATH, assets.serve, methods=["GET"]),
        Route(preferences.PATH, preferences.choose, methods=["POST"]),
    ]


def _with(parts: Parts, screen: Screen) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        request.state.in_a_demo = parts.world is not None
        return await screen(request, parts)

    return answer
