"""The routes of the console's screens."""

from typing import Final

from starlette.routing import BaseRoute, Route

from loa.console import assets, handsets, preferences
from loa.console.groups import carry, connect, demo, govern, sends, watch
from loa.console.parts import Parts
from loa.console.screen import Screen

SCREENS: Final[tuple[Screen, ...]] = (
    *watch.SCREENS,
    *sends.SCREENS,
    *carry.SCREENS,
    *connect.SCREENS,
    *govern.SCREENS,
)
"""Every screen with what it needs; the first whose path fits answers. Those of a demo stand in `demo`."""

HOME: Final = "/console/"
HANDSETS: Final = handsets.PATH
STILL_OPEN: Final = (assets.FOLDER,)
"""What the gate lets everybody see: the static files."""


def screens(parts: Parts) -> list[BaseRoute]:
    """Give the routes of all screens, of the static files and of the choice of language and theme."""
    served = SCREENS if parts.world is None else (*SCREENS, *demo.SCREENS)
    return [
        *(each.route(parts) for each in served),
        Route(assets.PATH, assets.serve, methods=["GET"]),
        Route(preferences.PATH, preferences.choose, methods=["POST"]),
    ]
