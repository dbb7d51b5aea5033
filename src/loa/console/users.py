"""Users: who may sign in, with which role and where they are known; adding them, and changing what they may."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.catalogue import said
from loa.console.formats import read_field_time
from loa.console.pages import render
from loa.console.parts import Parts
from loa.console.refusals import said_of
from loa.domain.roles import ALLOWED, May, Role
from loa.errors import LoaError

PATH: Final = "/console/users"


async def users(request: Request, parts: Parts) -> Response:
    """Show all users."""
    return render(request, "users.html", users=[_timed(each) for each in await parts.acts.read("users.list")])


async def ask_new(request: Request, _parts: Parts) -> Response:
    """Show the form of a new user."""
    return _new_form(request)


async def new(request: Request, parts: Parts) -> Response:
    """Add a user, and show the link by which they choose a password, this once."""
    form = request.state.form
    try:
        made = await parts.acts.do(request, "users.add", name=form.get("name", ""), role=form.get("role", ""))
    except LoaError as error:
        return _new_form(request, said_of(error, request.state.language))
    return _link_page(request, made)


async def user(request: Request, parts: Parts) -> Response:
    """Show one user, and what can be changed about them."""
    return await _user_page(request, parts)


async def set_role(request: Request, parts: Parts) -> Response:
    """Give a user another role."""
    return await _change(request, parts, "users.role", role=request.state.form.get("role", ""))


async def disable(request: Request, parts: Parts) -> Response:
    """Shut a user out once their name was typed."""
    found = await _found(request, parts)
    if found is not None and request.state.form.get("word", "").strip() != found["name"]:
        return await _user_page(request, parts, said(request.state.language, "form.not_the_word"))
    return await _change(request, parts, "users.disable")


async def enable(request: Request, parts: Parts) -> Response:
    """Let a user in again."""
    return await _change(request, parts, "users.enable")


async def reset_link(request: Request, parts: Parts) -> Response:
    """Show a link by which a user gets a new password and second factor, this once."""
    found = await _found(request, parts)
    if found is None:
        return render(request, "missing.html", status=404)
    try:
        made = await parts.acts.do(request, "users.reset_link", name=found["name"])
    except LoaError as error:
        return await _user_page(request, parts, said_of(error, request.state.language))
    return _link_page(request, made)


async def _change(request: Request, parts: Parts, verb: str, **args: Any) -> Response:
    found = await _found(request, parts)
    if found is None:
        return render(request, "missing.html", status=404)
    try:
        await parts.acts.do(request, verb, name=found["name"], **args)
    except LoaError as error:
        return await _user_page(request, parts, said_of(error, request.state.language))
    return RedirectResponse(f"{PATH}/{found['id']}", 303)


async def _found(request: Request, parts: Parts) -> dict[str, Any] | None:
    wanted = request.path_params["user_id"]
    return next((_timed(each) for each in await parts.acts.read("users.list") if str(each["id"]) == wanted), None)


def _timed(user: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is known of a user with its times in milliseconds."""
    read = {name: read_field_time(user[name] or "") for name in ("createdAt", "disabledAt", "lastSignInAt")}
    return {**user, **read}


def _new_form(request: Request, wrong: str = "") -> Response:
    form, status = request.state.form, 422 if wrong else 200
    name, role = form.get("name", ""), form.get("role", Role.OPERATOR.value)
    return render(request, "user_form.html", status=status, wrong=wrong, name=name, role=role, **_roles())


def _roles() -> dict[str, Any]:
    """Give the roles, and what each may do, as the page beside the form shows it."""
    return {"roles": [each.value for each in Role], "mays": list(May), "role_may": ALLOWED}


async def _user_page(request: Request, parts: Parts, wrong: str = "") -> Response:
    found = await _found(request, parts)
    if found is None:
        return render(request, "missing.html", status=404)
    return render(request, "user.html", status=422 if wrong else 200, user=found, wrong=wrong, **_roles())


def _link_page(request: Request, made: Mapping[str, Any]) -> Response:
    until = read_field_time(made["linkExpiresAt"])
    return render(request, "user_link.html", user=made, until=until, back=f"{PATH}/{made['id']}")
