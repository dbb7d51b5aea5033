"""The routes of the console's screens."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loa.console import assets, preferences
from loa.console.channels import channels
from loa.console.explorer import api, errors, operation, vendor
from loa.console.message import content, message
from loa.console.messages import messages
from loa.console.overview import overview
from loa.console.parts import Parts
from loa.console.send import act, send, sent
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
    ("/console/send", send, "GET"),
    ("/console/send", act, "POST"),
    ("/console/send/{referent_id}", sent, "GET"),
    ("/console/api", api, "GET"),
    ("/console/api/errors", errors, "GET"),
    ("/console/api/vendor", vendor, "GET"),
    ("/console/api/{operation_id}", operation, "GET"),
)
"""Path, what answers, and to which method. The gate guards those that are not safe."""

HOME: Final = "/console/"
STILL_OPEN: Final = (assets.FOLDER,)
"""What the gate lets everybody see: the static files."""


def screens(parts: Parts) -> list[BaseRoute]:
    """Give the routes of all screens, of the static files and of the choice of language and theme."""
    return [
        *(Route(path, _with(parts, screen), methods=[method]) for path, screen, method in SCREENS),
        Route(assets.PATH, assets.serve, methods=["GET"]),
        Route(preferences.PATH, preferences.choose, methods=["POST"]),
    ]


def _with(parts: Parts, screen: Screen) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await screen(request, parts)

    return answer
