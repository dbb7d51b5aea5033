"""Signing in and out, and becoming known by a one-time link."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import segno
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from loa.console import cookies
from loa.console.gate import PREFIX, SIGN_IN_PATH
from loa.console.http import address_of, header
from loa.console.language import Language
from loa.console.sign_in.texts import TEXTS
from loa.ports.users import Purpose, User
from loa.stages.second_factor import app_link, new_seed, seed_fits
from loa.stages.signing_in import Claim, Enrolled, Problem, Refused, SignedIn, SigningIn, Wanted

HERE: Final = "templates"
"""The folder of the pages, beside this module."""


def environment(folder: str, looks: BaseLoader | None) -> Environment:
    """Make what fills pages in, everything escaped. `looks`: where a template is looked for first, as `base.html`."""
    loaders = [*([looks] if looks is not None else []), FileSystemLoader(folder)]
    return Environment(
        loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


class Refusals:
    """Writes the pages that say why something is not done."""

    def __init__(self, pages: Environment) -> None:
        self._pages = pages

    def __call__(self, language: Language, name: str, theme: str = "auto", **fields: str) -> bytes:
        """Write one, by the name of its text."""
        text = TEXTS[name].said(language, **fields)
        page = self._pages.get_template("sign_in/refused.html")
        return page.render(language=language, theme=theme, say=_saying(language), text=text).encode()


class SignInPages:
    """The pages. `home`: where people come to who have signed in."""

    def __init__(self, signing: SigningIn, pages: Environment, home: str) -> None:
        self._signing = signing
        self._pages = pages
        self._home = home
        self._refusals = Refusals(pages)

    def routes(self) -> list[BaseRoute]:
        """Give their addresses."""
        return [
            Route(SIGN_IN_PATH, self.ask, methods=["GET"]),
            Route(SIGN_IN_PATH, self.sign_in, methods=["POST"]),
            Route(f"{PREFIX}/sign-out", self.sign_out, methods=["POST"]),
            *(
                Route(f"{PREFIX}/{word}/{{secret}}", page, methods=[method])
                for word in ("first-run", "set-up")
                for method, page in (("GET", self.ask_enrol), ("POST", self.enrol))
            ),
            Route(f"{PREFIX}/enter/{{secret}}", self.ask_enter, methods=["GET"]),
            Route(f"{PREFIX}/enter/{{secret}}", self.enter, methods=["POST"]),
        ]

    # signing in and out

    async def ask(self, request: Request) -> Response:
        """Show the form, or the way home to those who are known."""
        made = cookies.read_cookie(request.scope, cookies.SIGN_IN)
        if made and await self._signing.recognise(made):
            return RedirectResponse(self._home, 303)
        return self._sign_in_page(request, request.query_params.get("next", ""))

    async def sign_in(self, request: Request) -> Response:
        """Take the form."""
        form = request.state.form
        name, password, code = (form.get(field, "") for field in ("name", "password", "code"))
        claim = Claim(name, password, code, address_of(request.scope), _agent(request))
        before = cookies.read_cookie(request.scope, cookies.SIGN_IN)
        answer = await self._signing.sign_in(claim, instead=before)
        if isinstance(answer, Refused):
            return self._refused(request, answer)
        return self._go_on(request, answer, _inside(form.get("next", "")) or self._home)

    def _go_on(self, request: Request, answer: SignedIn, place: str) -> Response:
        response = RedirectResponse(place, 303)
        response.raw_headers.append(cookies.set_cookie(request.scope, cookies.SIGN_IN, answer.id))
        response.raw_headers.append(cookies.drop_cookie(request.scope, cookies.FORM))
        return response

    def _refused(self, request: Request, answer: Refused) -> Response:
        form, language = request.state.form, request.state.language
        seconds = -(-answer.wait_ms // 1000)
        problem = TEXTS["wait" if seconds else "refused"].said(language, seconds=seconds)
        page = self._sign_in_page(
            request, form.get("next", ""), name=form.get("name", ""), problems=[problem], status=429 if seconds else 401
        )
        if seconds:
            page.headers["retry-after"] = str(seconds)
        return page

    def _sign_in_page(
        self, request: Request, wanted: str, *, name: str = "", problems: list[str] | None = None, status: int = 200
    ) -> Response:
        fields = {"title": "title_sign_in", "next": _inside(wanted), "name": name, "problems": problems or []}
        return self._open_page(request, "sign_in", fields, status)

    async def sign_out(self, request: Request) -> Response:
        """End this sign-in."""
        made = cookies.read_cookie(request.scope, cookies.SIGN_IN)
        await self._signing.sign_out(made, address_of(request.scope))
        response = RedirectResponse(SIGN_IN_PATH, 303)
        response.raw_headers.append(cookies.drop_cookie(request.scope, cookies.SIGN_IN))
        return response

    # becoming known

    async def ask_enrol(self, request: Request) -> Response:
        """Show the form of a one-time link."""
        return await self._enrol_page(request, new_seed(), frozenset())

    async def enrol(self, request: Request) -> Response:
        """Take the form of a one-time link."""
        form = request.state.form
        name, password, again, seed, code = (
            form.get(field, "") for field in ("name", "password", "again", "seed", "code")
        )
        wanted = Wanted(name, password, again, seed, code, address_of(request.scope), _agent(request))
        made = await self._signing.enrol(request.path_params["secret"], wanted)
        if not isinstance(made, Enrolled):
            return await self._enrol_page(request, wanted.seed, made)
        response = self._page(request, "recovery", {"recovery": made.recovery, "home": self._home})
        response.raw_headers.append(cookies.set_cookie(request.scope, cookies.SIGN_IN, made.id))
        response.raw_headers.append(cookies.drop_cookie(request.scope, cookies.FORM))
        return response

    async def _enrol_page(self, request: Request, seed: str, problems: frozenset[Problem]) -> Response:
        language = request.state.language
        found = await self._signing.link(request.path_params["secret"])
        if found is None or found[0].purpose is Purpose.ENTER:
            return self._bad_link(request)
        link, user = found
        name = user.name if user is not None else request.state.form.get("name", "")
        fields = {
            "title": "title_first_run" if link.purpose is Purpose.FIRST_RUN else "title_set_up",
            "problems": [TEXTS[f"problem_{each}"].said(language) for each in sorted(problems)],
            "next": "",
            "name": name,
            "fixed_name": user is not None,
            **_second_factor(seed, user),
        }
        return self._open_page(request, "enrol", fields, 422 if problems else 200)

    # entering the demo

    async def ask_enter(self, request: Request) -> Response:
        """Show the button of a link that signs in as it is: what only looks at links ahead uses none up."""
        found = await self._signing.link(request.path_params["secret"])
        if found is None or found[0].purpose is not Purpose.ENTER:
            return self._bad_link(request)
        return self._open_page(request, "enter", {"title": "title_enter", "problems": [], "next": ""}, 200)

    async def enter(self, request: Request) -> Response:
        """Sign in by such a link."""
        before = cookies.read_cookie(request.scope, cookies.SIGN_IN)
        made = await self._signing.enter(
            request.path_params["secret"], address_of(request.scope), _agent(request), instead=before
        )
        if made is None:
            return self._bad_link(request)
        return self._go_on(request, made, self._home)

    def _bad_link(self, request: Request) -> Response:
        return HTMLResponse(self._refusals(request.state.language, "bad_link", request.state.theme), 404)

    # pages

    def _open_page(self, request: Request, name: str, fields: Mapping[str, Any], status: int) -> Response:
        """Write a page for somebody who is not known, with a cookie for its form."""
        value = cookies.read_cookie(request.scope, cookies.FORM)
        fresh = value or cookies.new_value()
        request.state.form_token = cookies.token_of(fresh)
        page = self._page(request, name, fields, status)
        if not value:
            page.raw_headers.append(cookies.set_cookie(request.scope, cookies.FORM, fresh))
        return page

    def _page(self, request: Request, name: str, fields: Mapping[str, Any], status: int = 200) -> Response:
        language = request.state.language
        text = self._pages.get_template(f"sign_in/{name}.html").render(
            language=language,
            theme=request.state.theme,
            say=_saying(language),
            form_token=request.state.form_token,
            **fields,
        )
        return HTMLResponse(text, status)


def _second_factor(seed: str, user: User | None) -> dict[str, Any]:
    """Give what shows a seed to people and to apps; where a form made one up, a new one."""
    seed = seed if seed_fits(seed) else new_seed()
    link = app_link(seed, user.name if user is not None else "console")
    drawn = segno.make(link, error="m").svg_inline(scale=4, border=4, light="#fff")
    return {"seed": seed, "app_link": link, "qr": drawn}


def _agent(request: Request) -> str:
    return header(request.scope, b"user-agent")


def _inside(wanted: str) -> str:
    """Give a place to go on at, "" where it is not a page of the console."""
    fine = wanted.startswith(f"{PREFIX}/") and wanted.isprintable() and "\\" not in wanted
    parts = urlsplit(wanted) if fine else None
    return wanted if parts is not None and not parts.scheme and not parts.netloc else ""


def _saying(language: Language) -> Any:
    return lambda name, **fields: TEXTS[name].said(language, **fields)
