"""The routes of the console's screens."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loa.console import assets, deliveries, endpoints, preferences
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
    ("/console/callbacks", endpoints.callbacks, "GET"),
    ("/console/callbacks/add", endpoints.add_form, "GET"),
    ("/console/callbacks/add", endpoints.add, "POST"),
    ("/console/callbacks/deliveries", deliveries.deliveries, "GET"),
    ("/console/callbacks/deliveries/{callback_id}", deliveries.delivery, "GET"),
    ("/console/callbacks/deliveries/{callback_id}/replay", deliveries.replay, "POST"),
    ("/console/callbacks/{endpoint_id:int}", endpoints.endpoint, "GET"),
    ("/console/callbacks/{endpoint_id:int}/change", endpoints.change, "POST"),
    ("/console/callbacks/{endpoint_id:int}/enable", endpoints.enable, "POST"),
    ("/console/callbacks/{endpoint_id:int}/rotate", endpoints.rotate, "POST"),
    ("/console/callbacks/{endpoint_id:int}/retire", endpoints.retire, "POST"),
    ("/console/callbacks/{endpoint_id:int}/test", endpoints.test, "POST"),
    ("/console/callbacks/{endpoint_id:int}/replay", endpoints.replay_form, "GET"),
    ("/console/callbacks/{endpoint_id:int}/replay", endpoints.replay, "POST"),
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
        request.state.troubles = await parts.troubles()
        return await screen(request, parts)

    return answer
