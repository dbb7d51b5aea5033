"""The routes of the console's screens, below `/console`."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loa.console import assets, preferences
from loa.console.channels import channels
from loa.console.message import content, message
from loa.console.messages import messages
from loa.console.overview import overview
from loa.console.parts import Parts
from loa.console.tail import stream, tail

Screen = Callable[[Request, Parts], Awaitable[Response]]

SCREENS: Final[tuple[tuple[str, Screen, str], ...]] = (
    ("/", overview, "GET"),
    ("/messages", messages, "GET"),
    ("/messages/{message_id}", message, "GET"),
    ("/messages/{message_id}/content", content, "POST"),
    ("/tail", tail, "GET"),
    ("/tail/events", stream, "GET"),
    ("/channels", channels, "GET"),
)
"""Path below the console, what answers, and to which method. An unsafe one is guarded by the layer of signing in."""


def screens(parts: Parts) -> list[Route]:
    """Give the routes of all screens, to be mounted at `/console` behind signing in."""
    return [Route(path, _with(parts, screen), methods=[method]) for path, screen, method in SCREENS]


def open_routes() -> list[Route]:
    """Give the routes that need nobody signed in: static files, and the choice of language and theme."""
    return [
        Route(assets.PATH, assets.serve, methods=["GET"]),
        Route(preferences.PATH, preferences.choose, methods=["POST"]),
    ]


def _with(parts: Parts, screen: Screen) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await screen(request, parts)

    return answer
