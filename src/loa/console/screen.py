"""What every screen declares, and what is looked at before it answers."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from loa.console.http import header
from loa.console.pages import link, render
from loa.console.parts import Parts, visitor_of
from loa.domain.roles import May, may

CONFIRM_PATH: Final = "/console/confirm"
FRESH_MS: Final = 15 * 60_000
"""For so long after signing in nobody is asked again."""

_CONVERTER: Final = re.compile(r":\w+\}")
Answer = Callable[[Request, Parts], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Screen:
    """One address of the console. The gate guards those whose method is not safe.

    `needs`: what a visitor has to be allowed. `asks_again`: who signed in a while ago has to say again who they are;
    `form`: the page they come back to then, where it is not the address itself: nothing is done by coming back.
    """

    path: str
    answer: Answer
    needs: May
    method: str = "GET"
    asks_again: bool = False
    form: str = ""

    def route(self, parts: Parts) -> Route:
        """Give the route, which looks at the visitor first."""

        async def answer(request: Request) -> Response:
            request.state.in_a_demo = parts.world is not None
            request.state.troubles = await parts.troubles()
            if not may(visitor_of(request).role, self.needs):
                return render(request, "refused.html", status=403)
            if self.asks_again and not is_fresh(request, parts.clock.now()):
                return ask_again(request, self.form or self.path)
            return await self.answer(request, parts)

        return Route(self.path, answer, methods=[self.method])


def is_fresh(request: Request, now: int) -> bool:
    """Tell whether somebody has signed in lately; who has no password, as in the demo, cannot be asked for one."""
    return not request.state.user.password or now - request.state.sign_in.created_at < FRESH_MS


def ask_again(request: Request, form: str) -> Response:
    """Lead to the page that asks who somebody is, and from there to a form."""
    values = {name: quote(str(value), safe="") for name, value in request.path_params.items()}
    wanted = _CONVERTER.sub("}", form).format(**values) + (f"?{request.url.query}" if request.url.query else "")
    place = link(CONFIRM_PATH, next=wanted)
    if header(request.scope, b"hx-request"):
        # A part of a page must not be replaced by the page that asks.
        return Response(status_code=401, headers={"HX-Redirect": place})
    return RedirectResponse(place, 303)
