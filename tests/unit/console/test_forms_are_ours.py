"""Every address that changes something is asked from elsewhere and without its token; every page says who may frame it."""

import re

from tests.unit.console.test_asked_again import SIGN_INS, loa, owner

from loa.console.screens import SCREENS

__all__ = ["loa"]

SAME = {"Sec-Fetch-Site": "same-origin"}
ELSEWHERE = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}, {})


def some(path: str) -> str:
    return re.sub(r"\{[\w:]+\}", "7", path)


async def test_what_changes_something_is_refused_from_elsewhere_and_without_its_token(loa) -> None:
    own = await owner(loa)
    token = {"form_token": (await own.get(SIGN_INS)).field("form_token")}
    posts = [some(each.path) for each in SCREENS if each.method == "POST"]
    assert len(posts) > 40
    taken = []
    for path in (*posts, "/console/sign-out", "/console/preferences"):
        tries = [await own.post(path, token, headers) for headers in ELSEWHERE]
        tries += [await own.post(path, {}, SAME), await own.post(path, {"form_token": "0" * 64}, SAME)]
        taken += [(path, each.status) for each in tries if each.status != 403]
    assert taken == []
    assert (await own.get(SIGN_INS)).status == 200


async def test_no_page_lets_itself_be_framed_or_kept(loa) -> None:
    own = await owner(loa)
    for screen in SCREENS:
        if screen.method != "GET" or screen.path.endswith("/events"):
            continue
        headers = (await own.get(some(screen.path))).headers
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, screen.path
        assert "unsafe" not in policy, screen.path
        assert headers["Cache-Control"] == "no-store", screen.path
