"""What holds for a tenant and where it comes from, and trying a channel's settings before they are kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.fakes import EPOCH, FakeClock, QuietProbe

from loa.app.admin import Admin, rules_of
from loa.channels.registry import providers
from loa.errors import ConfigError, NotFound
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.settings.load import load


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    opened = await SqliteLedger.open(tmp_path / "loa.db", probe=QuietProbe())
    await opened.add_tenant("acme", EPOCH)
    yield opened
    await opened.close()


def admin(ledger: SqliteLedger, *, told: bool = True, **flags: Any) -> Admin:
    loaded = load(flags=flags)
    rules = rules_of(loaded.settings, origins=loaded.origins if told else {})
    return Admin(ledger, clock=FakeClock(EPOCH), providers=providers(), rules=rules)


@pytest.mark.parametrize(("told", "origin"), [(True, "flag limits.segments_max"), (False, "set")])
async def test_each_setting_says_where_it_comes_from(ledger: SqliteLedger, told: bool, origin: str) -> None:
    shown = await admin(ledger, told=told, **{"limits.segments_max": 3}).do("rules.show", {"tenant": "acme"})
    settings = {each["name"]: each for each in shown["settings"]}
    assert (settings["limits.segments_max"]["value"], settings["limits.segments_max"]["origin"]) == (3, origin)
    assert settings["limits.text_chars_max"]["origin"] == "default"
    assert not [name for name in settings if name.startswith(("database", "seal", "postgres"))]


async def test_what_a_tenant_has_of_its_own_holds(ledger: SqliteLedger) -> None:
    verbs = admin(ledger, **{"otp.lifetime_s": 120})
    await verbs.do("tenants.policies", {"name": "acme", "policies": {"otp": {"evidence_wait_s": 7}}})
    shown = await verbs.do("rules.show", {"tenant": "acme"})
    otp = next(each for each in shown["policies"] if each["class"] == "otp")
    assert otp["own"] == {"evidence_wait_s": 7}
    assert otp["installation"] == {"lifetime_s": 120, "on_unknown": "never", "evidence_wait_s": 30}
    assert otp["inForce"] == {"lifetime_s": 120, "on_unknown": "never", "evidence_wait_s": 7}
    assert "096" in shown["numbering"]["prefixes"]["viettel"]
    with pytest.raises(NotFound):
        await verbs.do("rules.show", {"tenant": "nobody"})


async def test_settings_are_tried_before_they_are_kept(ledger: SqliteLedger) -> None:
    verbs = admin(ledger)
    tried = await verbs.do("channels.try", {"provider": "sandbox", "settings": {}})
    assert tried["ok"]
    await verbs.do("channels.add", {"name": "main", "provider": "sandbox", "settings": {"window": 5}})
    before = await ledger.revision()
    changed = {"name": "main", "provider": "sandbox", "settings": {"window": "many"}}
    with pytest.raises(ConfigError) as wrong:
        await verbs.do("channels.try", changed)
    assert (wrong.value.fields["field"], wrong.value.fields["fault"]) == ("window", "no_number")
    assert (await verbs.do("channels.try", {**changed, "unset": ["window"]}))["ok"]
    assert await ledger.revision() == before
    assert (await ledger.channels())[0].settings == {"window": 5}
