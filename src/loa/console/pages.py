"""Pages: one layout, autoescaped without exception, in the language and theme of whoever looks."""

from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from loa.console import formats
from loa.console.assets import address
from loa.console.catalogue import said
from loa.console.language import Language
from loa.console.navigation import GROUPS, Group
from loa.console.parts import visitor_of
from loa.console.theme import theme_in
from loa.domain.roles import May, Role, may

ENVIRONMENT: Final = Environment(
    loader=PackageLoader("loa.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals["asset"] = address


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """Answer with a page for the visitor, in the language that the gate has found."""
    visitor = visitor_of(request)

    def allowed(what: May) -> bool:
        return may(visitor.role, what)

    body = ENVIRONMENT.get_template(template).render(
        {
            "tenants": [],
            "tenant": None,
            "tenant_named": "",
            **words(request.state.language),
            "theme": theme_in(request.scope),
            "visitor": visitor,
            "allowed": allowed,
            "May": May,
            "navigation": _navigation(visitor.role),
            "here": request.url.path,
            "back": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            **values,
        }
    )
    return HTMLResponse(body, status_code=status)


def _navigation(role: Role) -> list[Group]:
    groups = (Group(each.name, tuple(one for one in each.entries if may(role, one.needs))) for each in GROUPS)
    return [each for each in groups if each.entries]


def part(template: str, language: Language, **values: Any) -> str:
    """Give a part of a page as text."""
    return ENVIRONMENT.get_template(template).render({**words(language), **values})


def words(language: Language) -> dict[str, Any]:
    """Give what templates write with: texts, times, spans and numbers in a language."""

    def t(key: str, **given: object) -> str:
        return said(language, key, **given)

    return {
        "t": t,
        "language": str(language),
        "day": lambda at: formats.day(at, language),
        "clock_time": formats.clock_time,
        "fine_time": formats.fine_time,
        "utc": formats.utc,
        "machine": formats.machine,
        "number": lambda value, places=0: formats.number(value, language, places),
        "span": lambda ms: formats.span(ms, language),
        "link": link,
    }


def link(path: str, **query: Any) -> str:
    """Give an address with a query; what is empty is left out."""
    pairs = [(name, value) for name, value in query.items() if value not in (None, "", False)]
    return f"{path}?{urlencode(pairs, doseq=True)}" if pairs else path
