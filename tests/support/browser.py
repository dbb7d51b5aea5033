"""A browser as far as the console can tell: cookies, where a request comes from, forms with their hidden fields."""

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import aiohttp
import pyotp

from loa.stages.second_factor import STEP_MS
from tests.support.fakes import SetClock

PASSWORD = "a long phrase that nobody guesses"
SAME: dict[str, str] = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Page:
    """An answer, read whole."""

    status: int
    text: str
    headers: Any

    def field(self, name: str) -> str:
        """Give the value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found is not None, self.text
        return unescape(found[1])


@dataclass
class Browser:
    """Keeps the cookies it is given. `headers`: sent each time."""

    url: str
    clock: SetClock
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    seed: str = ""
    steps: int = 0

    async def get(self, path: str, **headers: str) -> Page:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Page:
        return await self.ask("POST", path, fields, SAME if headers is None else headers)

    async def ask(
        self, method: str, path: str, fields: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> Page:
        own = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method,
                self.url + path,
                data=fields,
                headers={**self.headers, **own, **(headers or {})},
                allow_redirects=False,
            ) as answer,
        ):
            for given in answer.headers.getall("Set-Cookie", ()):
                name, _, rest = given.partition("=")
                value = rest.partition(";")[0]
                self.cookies.pop(name, None)
                if value:
                    self.cookies[name] = value
            return Page(answer.status, await answer.text(), answer.headers)

    def code(self) -> str:
        """Give a code that was not given before, as if the app had been asked later."""
        self.clock.set_by(self.steps * STEP_MS / 1000)
        if not self.seed:
            return ""
        made = pyotp.TOTP(self.seed).generate_otp(self.clock.now() // STEP_MS)
        self.steps = 2
        return made

    async def enrol(self, path: str, name: str = "mai", password: str = PASSWORD) -> Page:
        """Use a one-time link."""
        form = await self.get(path)
        assert form.status == 200, form.text
        self.seed, self.steps = form.field("seed"), 0
        return await self.post(path, self.wanted(form, name=name, password=password, again=password))

    def wanted(self, form: Page, **given: str) -> dict[str, str]:
        fields = {"form_token": form.field("form_token"), "seed": form.field("seed"), "code": self.code()}
        return {**fields, "name": "mai", "password": PASSWORD, "again": PASSWORD, **given}

    async def sign_in(self, *, path: str = "/console/sign-in", **given: str) -> Page:
        """Fill in the form of signing in."""
        form = await self.get(path)
        fields = {"form_token": form.field("form_token"), "next": form.field("next"), "name": "mai"}
        return await self.post(path, {**fields, "password": PASSWORD, "code": self.code(), **given})
