"""Asking again who somebody is, before secrets: password and code make a new sign-in in the place of this one."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console import cookies
from loa.console.catalogue import said
from loa.console.http import address_of, header
from loa.console.pages import render
from loa.console.parts import Parts
from loa.console.preferences import back_to
from loa.console.screen import CONFIRM_PATH, is_fresh
from loa.stages.signing_in import Claim, Refused


async def ask(request: Request, parts: Parts) -> Response:
    """Show the form, or lead on who signed in just now."""
    wanted = request.query_params.get("next", "")
    if is_fresh(request, parts.clock.now()):
        return RedirectResponse(back_to(wanted), 303)
    return _form(request, wanted)


async def confirm(request: Request, parts: Parts) -> Response:
    """Take the form; tries count as those of signing in do."""
    form, scope = request.state.form, request.scope
    claim = Claim(
        request.state.user.name,
        form.get("password", ""),
        form.get("code", ""),
        address_of(scope),
        header(scope, b"user-agent"),
    )
    before = cookies.read_cookie(scope, cookies.SIGN_IN)
    answer = await parts.signing.sign_in(claim, instead=before)
    if isinstance(answer, Refused):
        return _refused(request, answer)
    response = RedirectResponse(back_to(form.get("next", "")), 303)
    response.raw_headers.append(cookies.set_cookie(scope, cookies.SIGN_IN, answer.id))
    return response


def _refused(request: Request, answer: Refused) -> Response:
    seconds = -(-answer.wait_ms // 1000)
    wrong = said(request.state.language, "confirm.wait" if seconds else "confirm.wrong", seconds=seconds)
    page = _form(request, request.state.form.get("next", ""), wrong, 429 if seconds else 401)
    if seconds:
        page.headers["Retry-After"] = str(seconds)
    return page


def _form(request: Request, wanted: str, wrong: str = "", status: int = 200) -> Response:
    # A choice of language must not lose what was wanted.
    place = request.url.include_query_params(next=wanted) if wanted else request.url
    back = f"{CONFIRM_PATH}?{place.query}" if place.query else CONFIRM_PATH
    return render(request, "confirm.html", status=status, wanted=wanted, wrong=wrong, back=back)
