"""Pages: one layout, autoescaped without exception, in the language and theme of whoever looks."""

import re
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from loa.console import formats
from loa.console.assets import address
from loa.console.catalogue import has, said
from loa.console.language import Language
from loa.console.navigation import GROUPS, Entry, Group
from loa.console.parts import visitor_of
from loa.console.theme import theme_in
from loa.domain.roles import May, Role, may

_DONE: Final = frozenset({"done", "count"})
_COUNT: Final = re.compile(r"[0-9]{1,9}")

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

    navigation = _navigation(visitor.role, demo=getattr(request.state, "in_a_demo", False))

    def leads(path: str) -> bool:
        return any(each.path == path for group in navigation for each in group.entries)

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
            "navigation": navigation,
            "leads": leads,
            "troubles": getattr(request.state, "troubles", ()),
            "here": request.url.path,
            "back": _back(request),
            "done": _done(request),
            **values,
        }
    )
    return HTMLResponse(body, status_code=status)


def redirect(path: str, *, done: str = "", count: int | None = None, **query: Any) -> Response:
    """Lead on after a form; `done` names the sentence `done.…` that the next page says, `count` what is in it."""
    return RedirectResponse(link(path, **query, done=done, count="" if count is None else str(count)), 303)


def _back(request: Request) -> str:
    """Give the address of this page without what was done on the way to it."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in _DONE]
    return f"{request.url.path}?{urlencode(query)}" if query else request.url.path


def _done(request: Request) -> str:
    """Say what a form has done, for a sentence that there is; "" for none."""
    key, count = f"done.{request.query_params.get('done', '')}", request.query_params.get("count", "")
    language = request.state.language
    given = {"count": formats.number(int(count), language)} if _COUNT.fullmatch(count) else {"count": ""}
    return said(language, key, **given) if has(key) else ""


def _navigation(role: Role, *, demo: bool) -> list[Group]:
    def there(one: Entry) -> bool:
        return may(role, one.needs) and (demo or not one.demo)

    groups = (Group(each.name, tuple(filter(there, each.entries))) for each in GROUPS)
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
