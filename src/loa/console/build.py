"""The console as one ASGI application."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from jinja2 import BaseLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, Router

from loa.console.gate import PREFIX, Gate
from loa.console.headers import Headers
from loa.console.http import App, Header, Receive, Scope, Send
from loa.console.language import Language
from loa.console.sign_in import pages as sign_in
from loa.console.sign_ins import PATH as SIGN_INS_PATH
from loa.stages.signing_in import SigningIn

_FOLDER: Final = str(Path(sign_in.__file__).with_name(sign_in.HERE))


def build_console(
    signing: SigningIn,
    *,
    language: Language = Language.VIETNAMESE,
    pages: Sequence[BaseRoute] = (),
    looks: BaseLoader | None = None,
    home: str = SIGN_INS_PATH,
    still_open: tuple[str, ...] = (),
) -> App:
    """Make the application, served below `/console`.

    `pages`: for people who are signed in, each with its whole path; `looks`: whose `base.html` the pages of signing in
    are put into; `home`: where people come to who signed in; `still_open`: paths that need no sign-in, those with a
    slash at the end with all below.
    """
    filled = sign_in.environment(_FOLDER, looks)
    refusals = sign_in.Refusals(filled)

    async def go_home(_request: Request) -> Response:
        return RedirectResponse(home, 303)

    async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        page = HTMLResponse(refusals(state["language"], "not_found", state["theme"]), 404)
        await page(scope, receive, send)

    doors = [Route(path, go_home, methods=["GET"]) for path in (PREFIX, f"{PREFIX}/") if path != home]
    routes = [*pages, *sign_in.SignInPages(signing, filled, home).routes(), *doors]
    router = Router(routes, redirect_slashes=False, default=not_found)
    return Headers(Gate(router, signing, refusals, language=language, still_open=still_open))


def fault_page(looks: BaseLoader | None = None) -> Callable[[str, str], tuple[int, bytes, list[Header]]]:
    """Make what writes the page for our own fault, from a language and a request's id."""
    refusals = sign_in.Refusals(sign_in.environment(_FOLDER, looks))

    def written(language: str, request_id: str) -> tuple[int, bytes, list[Header]]:
        body = refusals(Language(language), "fault", request_id=request_id)
        return 500, body, [(b"content-type", b"text/html; charset=utf-8")]

    return written
