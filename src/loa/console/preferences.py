"""What a browser keeps of how its owner likes the console: language and theme, in cookies that say nothing else."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.language import COOKIE as LANGUAGE_COOKIE
from loa.console.language import Language
from loa.console.theme import COOKIE as THEME_COOKIE
from loa.console.theme import THEMES

PATH: Final = "/console/preferences"
HOME: Final = "/console/"
_CHOICES: Final = {"language": (LANGUAGE_COOKIE, frozenset(Language)), "theme": (THEME_COOKIE, frozenset(THEMES))}
_YEAR_S: Final = 31_536_000


async def choose(request: Request) -> Response:
    """Keep a choice and go back to where it was made; a choice that there is not changes nothing."""
    given = request.state.form
    answer = RedirectResponse(back_to(given.get("back", "")), status_code=303)
    for name, (cookie, values) in _CHOICES.items():
        if given.get(name) in values:
            secure = request.url.scheme == "https"
            answer.set_cookie(
                cookie, given[name], max_age=_YEAR_S, path="/console", secure=secure, httponly=True, samesite="lax"
            )
    return answer


def back_to(path: str) -> str:
    """Give a path of the console to go back to; what leads elsewhere leads to the first screen."""
    inside = path.startswith(HOME) and path.isprintable() and not any(each in path for each in ("\\", "//"))
    return path if inside else HOME
