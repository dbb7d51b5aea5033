"""One's own sign-ins: where one is known, and ending that."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.gate import SIGN_IN_PATH
from loa.console.http import address_of
from loa.console.pages import render
from loa.console.parts import Parts

PATH: Final = "/console/sign-ins"


async def sign_ins(request: Request, parts: Parts) -> Response:
    """List them."""
    listed = await parts.signing.sign_ins(request.state.user)
    return render(request, "sign_ins.html", sign_ins=listed, own=request.state.sign_in.digest)


async def end(request: Request, parts: Parts) -> Response:
    """End one."""
    digest = request.path_params["digest"]
    if not await parts.signing.end(request.state.user, digest, address_of(request.scope)):
        return render(request, "missing.html", status=404)
    return RedirectResponse(PATH, 303)


async def end_all(request: Request, parts: Parts) -> Response:
    """End all."""
    await parts.signing.end_all(request.state.user, address_of(request.scope))
    return RedirectResponse(SIGN_IN_PATH, 303)
