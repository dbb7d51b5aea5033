"""Intake over a real ledger, with a tenant whose routes differ by class, carrier and sender."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loa.domain.keys import mint
from loa.domain.traffic import TrafficClass
from loa.ledger.sqlite.ledger import SqliteLedger
from loa.ports.probe import Probe
from loa.ports.records import ApiKey, MessageFilter, Row, Tenant
from loa.stages.intake import Intake, IntakeLimits
from loa.stages.planning import Planner
from loa.stages.registry import Principal, Registry
from loa.stages.request import SendRequest, Taken
from tests.support.fakes import EPOCH, FakeClock, QuietProbe

VIETTEL, VINAPHONE, MOBIFONE = "0981234567", "0912345678", "0901234567"
EVERYTHING = frozenset({"send", "read:messages", "report", "manage"})


@dataclass
class Desk:
    """Everything a test of intake works with."""

    ledger: SqliteLedger
    clock: FakeClock
    registry: Registry
    planner: Planner
    intake: Intake
    tenant: Tenant
    channels: dict[str, int]
    key: ApiKey
    secret: str

    @property
    def caller(self) -> Principal:
        return self.caller_of(self.key)

    def caller_of(self, key: ApiKey) -> Principal:
        found = self.registry.principal(key.digest)
        assert found is not None
        return found

    async def add_key(self, *, live: bool = True, tenant: Tenant | None = None, **given: Any) -> tuple[ApiKey, str]:
        minted = mint(live=live)
        values: dict[str, Any] = {
            "permissions": EVERYTHING,
            "live": live,
            "digest": minted.digest,
            "display": minted.display,
            **given,
        }
        key = await self.ledger.add_key(ApiKey(id=0, tenant_id=(tenant or self.tenant).id, name="k", **values))
        await self.registry.refresh()
        return key, minted.secret

    async def submit(self, *, key: ApiKey | None = None, fingerprint: bytes = b"", **given: Any) -> Taken:
        return await self.intake.submit(self.caller_of(key or self.key), request(**given), fingerprint)

    async def messages(self) -> list[Row]:
        return await self.ledger.messages(self.tenant.id, MessageFilter(), None, 1_000)

    async def submission(self, taken: Taken) -> Row:
        row = await self.ledger.submission(self.tenant.id, taken.referent_id)
        assert row is not None
        return row

    def rebuild(self, *, limits: IntakeLimits | None = None, probe: Probe | None = None, **planning: Any) -> None:
        """Make intake anew with other rules."""
        self.planner = Planner(self.registry, **planning)
        self.intake = Intake(self.ledger, self.registry, self.planner, self.clock, probe or QuietProbe(), limits)


def request(**given: Any) -> SendRequest:
    values: dict[str, Any] = {
        "destinations": [VINAPHONE],
        "sender": "LOA",
        "text": "hello",
        "use_unicode": 0,
        "traffic_class": TrafficClass.TRANSACTIONAL,
    }
    return SendRequest(**{**values, **given})


async def open_desk(path: Path) -> Desk:
    """Routes of the tenant: otp goes over `fast`, Viettel over `viettel` then `main`, all else of LOA over `main`."""
    ledger = await SqliteLedger.open(path, probe=QuietProbe())
    clock = FakeClock(EPOCH)
    registry = Registry(ledger, clock)
    channels = {
        name: (await ledger.add_channel(name, provider, {})).id
        for name, provider in (("main", "smpp"), ("fast", "smpp"), ("viettel", "smpp"), ("box", "sandbox"))
    }
    tenant = await ledger.add_tenant("shop", EPOCH)
    await ledger.add_sender(tenant.id, "LOA", "brandname")
    await ledger.add_sender(tenant.id, "Unrouted", "brandname")
    await ledger.add_sender(tenant.id, "TwelveLetter", "brandname")
    fast, viettel, main = channels["fast"], channels["viettel"], channels["main"]
    await ledger.add_route(tenant.id, [fast], sender="LOA", traffic_class=TrafficClass.OTP)
    await ledger.add_route(tenant.id, [viettel, main], sender="LOA", carrier="viettel")
    await ledger.add_route(tenant.id, [main], sender="LOA")
    planner = Planner(registry)
    intake = Intake(ledger, registry, planner, clock, QuietProbe())
    blank = ApiKey(0, 0, "", b"", "", True, frozenset())
    desk = Desk(ledger, clock, registry, planner, intake, tenant, channels, blank, "")
    desk.key, desk.secret = await desk.add_key()
    return desk
