"""Secrets lie sealed in every engine: no table holds one, and a master key is changed without losing any."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from loa.errors import CannotOpen
from loa.ledger.postgres.ledger import PostgresLedger
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.grants import Consent, Tokens
from loa.ports.ledger import Ledger
from loa.ports.sealing import KeyUse
from loa.ports.users import Credentials, Link, Purpose
from loa.seal.keyring import Keyring, MasterKey
from loa.seal.sealer import FixedKeys, Sealer
from tests.contract.ledger.values import submission
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.postgres import Postgres
from tests.support.shared_ledger import APP, as_user, prepare

ONE, TWO, STRAY = (MasterKey.of(octet * 32) for octet in (b"1", b"2", b"3"))
PASSWORD, SECRET, ACCESS, REFRESH, VERIFIER = "pass-of-channel", "whsec_endpoint", "access-1", "refresh-1", "verifier-1"
SEED = "SEEDOFMAI"
TABLES = ("channel", "endpoint", "channel_grant", "consent", "console_user", "submission", "event", "message")

Rows = Callable[..., Awaitable[list[tuple[Any, ...]]]]


@dataclass
class Opened:
    """A ledger on an engine, opened with any keys; `rows` reads and changes its tables behind its back."""

    make: Callable[[Sealer], Awaitable[Ledger]]
    rows: Rows
    ledgers: list[Ledger] = field(default_factory=list)

    async def open(self, *keys: MasterKey) -> Ledger:
        opened = await self.make(Sealer(FixedKeys(Keyring(keys), "the test")))
        self.ledgers.append(opened)
        return opened

    async def again(self, *keys: MasterKey) -> Ledger:
        """Open it as the next process would, after the one before ended."""
        await self.close()
        return await self.open(*keys)

    async def close(self) -> None:
        while self.ledgers:
            await self.ledgers.pop().close()


@pytest.fixture
async def opened(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    if engine == "sqlite":
        file = tmp_path / "loa.db"

        async def raw(query: str) -> list[tuple[Any, ...]]:
            connection = apsw.Connection(str(file))
            try:
                return list(connection.execute(query))
            finally:
                connection.close()

        made = Opened(lambda sealer: SqliteLedger.open(file, probe=QuietProbe(), sealer=sealer), raw)
        yield made
        await made.close()
        return
    server: Postgres = request.getfixturevalue("postgres")
    async with server.database(prepare) as url:

        async def fetch(query: str) -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(url, server_settings={"search_path": "loa", "loa.tenant": "*"})
            try:
                return [tuple(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()

        async def on_server(sealer: Sealer) -> Ledger:
            clock = FakeClock()
            return await PostgresLedger.open(
                as_user(url, APP), folder=tmp_path, probe=QuietProbe(), clock=clock, sealer=sealer
            )

        made = Opened(on_server, fetch)
        yield made
        await made.close()


async def fill(ledger: Ledger) -> None:
    """Put a secret of every kind there is into a ledger."""
    tenant = (await ledger.add_tenant("acme", EPOCH)).id
    channel = (await ledger.add_channel("line", "sandbox", {"password": PASSWORD})).id
    await ledger.add_endpoint(tenant, "https://a.example.vn/", SECRET)
    await ledger.accept(submission(tenant_id=tenant, callback_url="https://b.example.vn/"))
    await ledger.keep(channel, Tokens(ACCESS, REFRESH, EPOCH + 1, EPOCH + 2), EPOCH)
    await ledger.ask_consent(Consent(channel, "state", VERIFIER, "https://c.example.vn/", EPOCH, EPOCH + 600_000))
    await ledger.add_link(Link("first", Purpose.FIRST_RUN, None, EPOCH + 600_000), EPOCH)
    await ledger.enrol("first", "mai", Credentials("", SEED, 0, ()), EPOCH)


async def secrets_of(ledger: Ledger) -> list[str]:
    """Give every secret that a ledger gives out, the verifier apart, which it gives once."""
    (channel,), (grant,), (user,) = await ledger.channels(), await ledger.grants(), await ledger.users()
    (made,), (of_submission,) = [each.secrets for each in sorted(await ledger.endpoints(), key=lambda e: e.url)]
    assert of_submission.startswith("whsec_")
    tokens = [grant.tokens.access_token, grant.tokens.refresh_token]
    return [str(channel.settings["password"]), *tokens, made, user.seed, of_submission]


async def rotate(ledger: Ledger, key: MasterKey, limit: int = 500) -> int:
    """Bring everything under another key; give how many values were brought."""
    await ledger.use_master_key(key.id, EPOCH)
    brought = 0
    for place in await ledger.sealed_counts():
        while step := (await ledger.reseal(place, 0, limit)).done:
            brought += step
    await ledger.end_reseal()
    return brought


async def uses(ledger: Ledger) -> dict[str, KeyUse]:
    return {key_id: state.use for key_id, state in (await ledger.master_keys()).items()}


async def under(ledger: Ledger) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in (await ledger.sealed_counts()).values():
        for key_id, count in each.items():
            counts[key_id] = counts.get(key_id, 0) + count
    return counts


async def test_no_table_holds_a_secret(opened: Opened) -> None:
    ledger = await opened.open(ONE)
    await fill(ledger)
    secrets = [*await secrets_of(ledger), VERIFIER]
    assert secrets[:5] == [PASSWORD, ACCESS, REFRESH, SECRET, SEED]
    raw = repr([await opened.rows(f"SELECT * FROM {table}") for table in TABLES])
    assert "https://b.example.vn/" in raw, "what is read holds what was written"
    assert [secret for secret in secrets if secret in raw] == []
    assert await under(ledger) == {ONE.id: 7}
    assert [*await secrets_of(await opened.again(ONE)), VERIFIER] == secrets


async def test_another_key_opens_nothing_and_the_error_names_the_cure(opened: Opened) -> None:
    await fill(await opened.open(ONE))
    stray = await opened.again(STRAY)
    for read in (stray.channels, stray.endpoints):
        with pytest.raises(
            CannotOpen, match=rf"master key {ONE.id}, which is not in the test: copy that key .*abandon"
        ):
            await read()
    with pytest.raises(CannotOpen, match=ONE.id):
        await stray.add_channel("second", "sandbox", {"password": "x"})
    assert await uses(stray) == {ONE.id: KeyUse.CURRENT}, "it named no key of its own"
    assert (await secrets_of(await opened.again(STRAY, ONE)))[0] == PASSWORD


async def test_an_envelope_that_was_moved_does_not_open(opened: Opened) -> None:
    ledger = await opened.open(ONE)
    await fill(ledger)
    await ledger.add_channel("other", "sandbox", {"password": "other"})
    await opened.close()
    await opened.rows("UPDATE channel SET settings = (SELECT settings FROM channel WHERE name = 'line')")
    moved = {each.name: each.settings for each in await (await opened.again(ONE)).channels()}
    assert moved == {"line": {"password": PASSWORD}, "other": {}}, "empty, so that it can be set anew"


async def test_a_value_of_a_ledger_from_before_is_read_and_then_sealed(opened: Opened) -> None:
    await fill(await opened.open(ONE))
    await opened.close()
    await opened.rows("""UPDATE channel SET settings = '{"password": "open"}'""")
    ledger = await opened.again(ONE)
    assert (await ledger.channels())[0].settings == {"password": "open"}
    assert await under(ledger) == {ONE.id: 6, "": 1}
    assert (await ledger.reseal("channel.settings", 0, 10)).done == 1
    assert await under(ledger) == {ONE.id: 7}
    assert (await ledger.channels())[0].settings == {"password": "open"}


async def test_a_rotation_brings_everything_under_the_other_key(opened: Opened) -> None:
    ledger = await opened.open(ONE, TWO)
    await fill(ledger)
    secrets = await secrets_of(ledger)
    assert await rotate(ledger, TWO, limit=1) == 7
    assert await uses(ledger) == {ONE.id: KeyUse.FORMER, TWO.id: KeyUse.CURRENT}
    assert await under(ledger) == {TWO.id: 7}
    assert (await ledger.take_consent("state", EPOCH)).verifier == VERIFIER  # type: ignore[union-attr]
    alone = await opened.again(TWO)
    assert await secrets_of(alone) == secrets
    await alone.change_channel("line", settings={"password": "new"})
    assert set(await under(alone)) == {TWO.id}


async def test_a_rotation_may_be_broken_off_after_any_commit(opened: Opened) -> None:
    ledger = await opened.open(ONE)
    await fill(ledger)
    secrets, places = await secrets_of(ledger), list(await ledger.sealed_counts())
    old, new = TWO, ONE
    for steps in (0, 1, 4, 7):
        old, new = new, old
        ledger = await opened.again(old, new)
        await ledger.use_master_key(new.id, EPOCH)
        for place in [place for place in places for _ in (1, 2)][:steps]:
            await ledger.reseal(place, 0, 1)
        ledger = await opened.again(old, new)
        assert await secrets_of(ledger) == secrets, "half-way everything opens"
        await ledger.end_reseal()
        left = (await under(ledger)).get(old.id, 0)
        assert await uses(ledger) == {old.id: KeyUse.REPLACED if left else KeyUse.FORMER, new.id: KeyUse.CURRENT}
        await rotate(ledger, new)
        assert await under(ledger) == {new.id: 7}
    assert await secrets_of(await opened.again(new)) == secrets


async def test_a_key_that_is_not_here_is_not_taken(opened: Opened) -> None:
    ledger = await opened.open(ONE)
    await fill(ledger)
    with pytest.raises(CannotOpen, match=f"master key {TWO.id}"):
        await ledger.use_master_key(TWO.id, EPOCH)
    assert await uses(ledger) == {ONE.id: KeyUse.CURRENT}
    await ledger.change_channel("line", settings={"password": "x"})
    assert await under(ledger) == {ONE.id: 7}


async def test_a_rotation_stops_at_a_value_whose_key_is_missing_and_leaves_damaged_ones(opened: Opened) -> None:
    await fill(await opened.open(ONE))
    await opened.close()
    await opened.rows("UPDATE endpoint SET secrets = 'sealed:9:what' WHERE url = 'https://a.example.vn/'")
    ledger = await opened.again(TWO)
    await ledger.use_master_key(TWO.id, EPOCH)
    with pytest.raises(CannotOpen, match=ONE.id):
        await ledger.reseal("channel.settings", 0, 10)
    ledger = await opened.again(ONE, TWO)
    step = await ledger.reseal("endpoint.secrets", 0, 10)
    assert (step.done, step.damaged) == (1, 1)
    assert (await ledger.reseal("endpoint.secrets", step.damaged, 10)).done == 0
    assert (await ledger.sealed_counts())["endpoint.secrets"] == {"?": 1, TWO.id: 1}


async def test_what_lies_under_a_lost_key_can_be_given_up_and_set_anew(opened: Opened) -> None:
    await fill(await opened.open(ONE))
    ledger = await opened.again(TWO)
    await ledger.use_master_key(TWO.id, EPOCH)
    gone = await ledger.abandon([ONE.id])
    assert gone["channel.settings"] == ["line"]
    assert sorted(gone["endpoint.secrets"]) == ["1:https://a.example.vn/", "1:https://b.example.vn/"]
    await ledger.end_reseal()
    assert await uses(ledger) == {ONE.id: KeyUse.FORMER, TWO.id: KeyUse.CURRENT}
    (channel,) = await ledger.channels()
    assert (channel.settings, await ledger.grants(), set(await under(ledger))) == ({}, [], {TWO.id})
    assert [user.seed for user in await ledger.users()] == [""], "who cannot sign in until a new link was used"
    again = await ledger.add_endpoint(1, "https://a.example.vn/", "fresh")
    assert again.secrets == ("fresh",)
