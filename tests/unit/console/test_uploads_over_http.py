"""A file that comes in through the gate: with the token as its first field or in the header, and not without."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.support.browser import SAME, Browser
from tests.support.inside import Inside, running_inside

from loa.app.console import demo_link

NEW = "/console/batches/new"
EDGE = "----WebKitFormBoundaryx"


@pytest.fixture
async def loa(tmp_path: Path) -> AsyncIterator[Inside]:
    async with running_inside(tmp_path) as inside:
        await inside.tenant("shop", "sandbox", {})
        yield inside


async def signed_in(loa: Inside) -> Browser:
    gateway = loa.gateway
    own = Browser(gateway.url, loa.clock, {"Accept-Language": "en"})
    link = await demo_link(gateway.ledger, gateway.clock, gateway.settings, gateway.url)
    path = link.removeprefix(gateway.url)
    form = await own.get(path)
    if form.status == 200:
        await own.post(path, {"form_token": form.field("form_token")})
    return own


def body(*fields: tuple[str, str], table: str = "phone,name\n0912345678,Lan\n") -> bytes:
    parts = [f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields]
    file = (
        f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
    )
    return ("".join(parts) + file + table + f"\r\n--{EDGE}--\r\n").encode()


async def post(own: Browser, sent: bytes, **headers: str) -> tuple[int, str]:
    cookies = "; ".join(f"{name}={value}" for name, value in own.cookies.items())
    kind = {"Content-Type": f"multipart/form-data; boundary={EDGE}", "Cookie": cookies, "Accept-Language": "en"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(own.url + NEW, data=sent, headers={**kind, **SAME, **headers}, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers.get("Location", "")


async def test_a_file_comes_in_with_the_token_that_goes_with_the_cookie_and_not_without(loa: Inside) -> None:
    own = await signed_in(loa)
    token = (await own.get(NEW)).field("form_token")
    status, place = await post(own, body(("form_token", token)))
    assert (status, place.startswith("/console/batches/")) == (303, True)
    assert (await post(own, body(), **{"X-Form-Token": token}))[0] == 303
    refused = [
        await post(own, body()),
        await post(own, body(("form_token", "x" + token[1:]))),
        await post(own, body(("name", "first"), ("form_token", token))),
        await post(own, body(), **{"X-Form-Token": "x"}),
        await post(own, body(("form_token", token)), **{"Sec-Fetch-Site": "cross-site"}),
    ]
    assert [status for status, _ in refused] == [403] * 5
    tenant = (await loa.gateway.ledger.tenants())[0].id
    assert len(await loa.gateway.ledger.batches(tenant, None, 10)) == 2
    own.cookies.clear()
    assert (await post(own, body(("form_token", token))))[0] == 401


async def test_a_batch_is_worked_off_by_the_gateway_itself(loa: Inside) -> None:
    own = await signed_in(loa)
    token = (await own.get(NEW)).field("form_token")
    table = "phone,name\n" + "".join(f"09{12_000_000 + n},Lan {n}\n" for n in range(600))
    _, place = await post(own, body(("form_token", token), table=table))
    plan = {"destination": "0", "text": "typed", "template": "Chao {name}", "sender": "same:LOA"}
    plan |= {"class": "same:transactional", "unicode": "0", "form_token": token}
    assert (await own.post(f"{place}/check", plan)).status == 303
    ledger = loa.gateway.ledger
    tenant, number = (await ledger.tenants())[0].id, int(place.rpartition("/")[2])

    async def until(state: str) -> None:
        while (found := await ledger.batch(tenant, number)) is not None and found.state != state:
            await loa.clock.sleep(0.01)

    await until("checked")
    assert (await own.post(f"{place}/start", {"form_token": token, "sure": "600"})).status == 303
    await until("finished")
    found = await ledger.batch(tenant, number)
    assert found is not None
    assert found.counts["sent"] == 600
    keys = {key.name: key for key in await ledger.keys()}
    assert keys["console (batches)"].request_id_mode == "strict"
