"""What the console sends goes through the one intake, by keys that nobody holds, and stands in the audit log."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from tests.support.console import Desk, fill, open_desk

from loa.app.console import signing_in
from loa.domain.roles import Role
from loa.domain.rules import findings_of
from loa.errors import CallerError, Forbidden
from loa.ports.users import User

BODY: dict[str, Any] = {
    "destinations": ["0912345678"],
    "from": "LOA",
    "text": "Xin chào",
    "useUnicode": 2,
    "type": 0,
    "requestId": "r-1",
}


def asked_by(role: Role) -> Request:
    user = User(1, "lan", role, "", "", 0, 0)
    return Request(
        {"type": "http", "headers": [], "client": ("127.0.0.1", 1), "state": vars(SimpleNamespace(user=user))}
    )


@pytest.fixture
async def desk(tmp_path: Path) -> Any:
    await fill(tmp_path / "loa.db")
    desk = await open_desk(tmp_path / "loa.db")
    tenant = (await desk.ledger.tenants())[0]
    if not any(each.name == "LOA" for each in await desk.ledger.senders()):
        await desk.ledger.add_sender(tenant.id, "LOA", "brandname")
    channel = (await desk.ledger.channels())[0]
    await desk.ledger.add_route(tenant.id, [channel.id], sender="LOA")
    yield desk
    await desk.ledger.close()


async def test_sending_twice_with_one_request_id_sends_once(desk: Desk) -> None:
    sending, tenant = desk.sending(signing_in(desk.ledger, desk.clock)), (await desk.ledger.tenants())[0]
    first = await sending.submit(asked_by(Role.OWNER), tenant, BODY)
    again = await sending.submit(asked_by(Role.OWNER), tenant, BODY)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.referent_id == first.referent_id
    own = [key for key in await desk.ledger.keys() if "console" in key.permissions]
    assert [key.name for key in own] == ["console"]
    newest = (await desk.ledger.audit(None, 1))[0].deed
    assert (newest.verb, newest.who, newest.subject) == ("messages.send", "lan", "r-1")
    assert "Xin" not in str(newest.after)


async def test_a_revoked_key_of_the_console_is_followed_by_a_new_one(desk: Desk) -> None:
    sending, tenant = desk.sending(signing_in(desk.ledger, desk.clock)), (await desk.ledger.tenants())[0]
    await sending.submit(asked_by(Role.OWNER), tenant, BODY)
    (own,) = [key for key in await desk.ledger.keys() if "console" in key.permissions]
    await desk.ledger.revoke_key(own.id, desk.clock.now())
    await sending.submit(asked_by(Role.OWNER), tenant, {**BODY, "requestId": "r-2"})
    assert len([key for key in await desk.ledger.keys() if "console" in key.permissions]) == 2


async def test_a_role_that_may_not_send_sends_nothing(desk: Desk) -> None:
    sending, tenant = desk.sending(signing_in(desk.ledger, desk.clock)), (await desk.ledger.tenants())[0]
    with pytest.raises(Forbidden):
        await sending.submit(asked_by(Role.ANALYST), tenant, BODY)
    assert [key for key in await desk.ledger.keys() if "console" in key.permissions] == []


async def test_the_dry_run_writes_nothing_and_names_the_field(desk: Desk) -> None:
    sending, tenant = desk.sending(signing_in(desk.ledger, desk.clock)), (await desk.ledger.tenants())[0]
    revision = await desk.ledger.revision()
    said = await sending.explain(tenant, BODY)
    assert said.text is not None
    assert said.text.segment_count == 1
    with pytest.raises(CallerError) as wrong:
        await sending.explain(tenant, {**BODY, "type": 9})
    assert [each.where for each in findings_of(wrong.value)] == ["type"]
    assert await desk.ledger.revision() == revision
