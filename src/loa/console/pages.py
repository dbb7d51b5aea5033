"""Pages: one layout, autoescaped without exception, in the visitor's language and theme, under a strict policy."""

from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from loa.console import formats
from loa.console.assets import address
from loa.console.language import Tongue, say, tongue_of
from loa.console.navigation import ENTRIES
from loa.domain.roles import May, may

THEME_COOKIE: Final = "loa_theme"
THEMES: Final = ("auto", "light", "dark")

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every page is sent with. Source: section "Headers" of OWASP's HTTP headers cheat sheet."""

ENVIRONMENT: Final = Environment(
    loader=PackageLoader("loa.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals["asset"] = address


def render(request: Request, template: str, *, usual: Tongue, status: int = 200, **values: Any) -> Response:
    """Answer with a page. `request.state.visitor` is who looks, and may be missing on the pages of signing in."""
    tongue = tongue_of(request, usual)
    visitor = getattr(request.state, "visitor", None)

    def allowed(what: May) -> bool:
        return visitor is not None and may(visitor.role, what)

    body = ENVIRONMENT.get_template(template).render(
        {
            "tenants": [],
            "tenant": None,
            **words(tongue),
            "theme": theme_of(request),
            "visitor": visitor,
            "allowed": allowed,
            "May": May,
            "navigation": [each for each in ENTRIES if allowed(each.needs)],
            "here": request.url.path,
            "back": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            **values,
        }
    )
    return HTMLResponse(body, status_code=status, headers=HEADERS)


def part(template: str, tongue: Tongue, **values: Any) -> str:
    """Give a part of a page as text."""
    return ENVIRONMENT.get_template(template).render({**words(tongue), **values})


def words(tongue: Tongue) -> dict[str, Any]:
    """Give what templates write with: texts, times, spans and numbers in a language."""

    def t(key: str, **given: object) -> str:
        return say(tongue, key, **given)

    return {
        "t": t,
        "tongue": str(tongue),
        "day": lambda at: formats.day(at, tongue),
        "clock_time": formats.clock_time,
        "fine_time": formats.fine_time,
        "utc": formats.utc,
        "machine": formats.machine,
        "number": lambda value, places=0: formats.number(value, tongue, places),
        "span": lambda ms: formats.span(ms, tongue),
        "link": link,
    }


def link(path: str, **query: Any) -> str:
    """Give an address with a query; what is empty is left out."""
    pairs = [(name, value) for name, value in query.items() if value not in (None, "", False)]
    return f"{path}?{urlencode(pairs, doseq=True)}" if pairs else path


def theme_of(request: Request) -> str:
    """Tell which theme somebody has chosen; `auto` follows the system."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "auto"
