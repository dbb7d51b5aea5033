"""The API as the console explains it: made once, when somebody first looks."""

import json
from functools import lru_cache

from starlette.concurrency import run_in_threadpool

from loa.api import problems, texts
from loa.api.v1.build import describe
from loa.console.api_book import ApiBook, Fault
from loa.console.language import Language

_GROUPS = (
    ("body", texts.BODY),
    ("fields", {**texts.FIELDS, **problems.FIELD_TEXTS}),
    ("messages", {**texts.MESSAGES, "request_id_reused": texts.SUMMARIES["request_id_reused"]}),
    ("numbers", texts.NUMBERS),
    ("templates", texts.TEMPLATES),
)


async def read_api_book() -> ApiBook:
    """Give the book. Making it takes a tenth of a second, which the requests beside it must not wait for."""
    return await run_in_threadpool(_made)


@lru_cache(maxsize=1)
def _made() -> ApiBook:
    return ApiBook(json.loads(describe()), tuple(_faults()))


def _faults() -> list[Fault]:
    found = [
        Fault(code, "request", _both(kind.detail or texts.CATALOGUE.get(code) or kind.title), kind.status)
        for code, kind in problems.KINDS.items()
    ]
    known = set(problems.KINDS)
    for group, catalogue in _GROUPS:
        found += [Fault(code, group, _both(text)) for code, text in catalogue.items() if code not in known]
        known |= set(catalogue)
    return found


def _both(text: texts.Text) -> dict[Language, str]:
    return {Language.VIETNAMESE: text.vi, Language.ENGLISH: text.en}
