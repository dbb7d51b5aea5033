"""What an admin does with routes and with endpoints that take callbacks."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import Field

from loa.app.admin_channels import channel_named
from loa.app.admin_people import DEFAULT_TENANT, Name, Shown, instant, tenant_named, tenant_names, tenant_to_change
from loa.app.route_steps import channel_of, read_step, show_step
from loa.domain.callback_body import callback_id_from
from loa.domain.numbering.table import Carrier
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError, NotFound
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.records import Endpoint, RouteRecord

ClassName = Literal["otp", "transactional", "advertising"]
Place = Annotated[int, Field(ge=1, le=100_000)]


class RouteDesk:
    """Routes: which channels messages may take, in which order."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def add(
        self,
        *,
        channels: tuple[str, ...],
        tenant: Name = DEFAULT_TENANT,
        sender: str = "",
        traffic_class: ClassName | None = None,
        carrier: str = "",
        position: int | None = None,
    ) -> Shown:
        """Add a rule; conditions left empty match everything. Errors: NotFound, CallerError."""
        if not channels:
            raise CallerError("no_channel", "a route needs at least one channel")
        if carrier and carrier not in set(Carrier):
            raise CallerError("carrier", f"there is no carrier {carrier!r}; choose of: {', '.join(Carrier)}")
        owner = await tenant_to_change(self._ledger, self._clock, tenant)
        own_senders = {each.name for each in await self._ledger.senders() if each.tenant_id == owner.id}
        if sender and sender not in own_senders:
            raise NotFound(f"tenant {owner.name} has no sender {sender!r}; add it with: loa senders add {sender}")
        steps = [read_step(each, (await channel_named(self._ledger, channel_of(each))).id) for each in channels]
        record = await self._ledger.add_route(
            owner.id,
            steps,
            sender=sender,
            traffic_class=None if traffic_class is None else TrafficClass[traffic_class.upper()],
            carrier=carrier,
            position=position,
        )
        return (await self._shown([record]))[0]

    async def list_routes(self, *, tenant: Name | None = None) -> list[Shown]:
        """List rules in the order in which they are tried."""
        wanted = None if tenant is None else (await tenant_named(self._ledger, tenant)).id
        return await self._shown([each for each in await self._ledger.routes() if wanted in (None, each.tenant_id)])

    async def move(self, *, route_id: int, place: Place) -> Shown:
        """Put a rule at a place among its tenant's, counted from 1; the others keep their order. Errors: NotFound."""
        if not await self._ledger.move_route(route_id, place - 1):
            raise NotFound(f"there is no route {route_id}; see: loa routes list")
        return (await self._shown([each for each in await self._ledger.routes() if each.id == route_id]))[0]

    async def remove(self, *, route_id: int) -> Shown:
        """Remove a rule; messages that were accepted keep their plan. Errors: NotFound."""
        if not await self._ledger.remove_route(route_id):
            raise NotFound(f"there is no route {route_id}; see: loa routes list")
        return {"id": route_id, "removed": True}

    async def _shown(self, records: list[RouteRecord]) -> list[Shown]:
        names = await tenant_names(self._ledger)
        channels = {record.id: record.name for record in await self._ledger.channels()}
        return [
            {
                "id": record.id,
                "tenant": names.get(record.tenant_id, ""),
                "position": record.position,
                "sender": record.sender or None,
                "class": None if record.traffic_class is None else record.traffic_class.label,
                "carrier": record.carrier or None,
                "channels": [
                    show_step(step, channels.get(step.channel_id, str(step.channel_id))) for step in record.steps
                ],
            }
            for record in records
        ]


class EndpointDesk:
    """Endpoints, and callbacks once more. `url_reason` says why callbacks may not go to a URL, "" when they may."""

    def __init__(
        self, ledger: Ledger, clock: Clock, url_reason: Callable[[str], str], new_secret: Callable[[], str]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._url_reason = url_reason
        self._new_secret = new_secret

    async def add(
        self,
        *,
        url: str,
        tenant: Name = DEFAULT_TENANT,
        every_step: bool = False,
        inbound: bool = False,
        for_key: int | None = None,
    ) -> Shown:
        """Add an endpoint and show its secret this once; one that is there is switched on again, its secret kept.

        `for_key`: the id of the key whose submissions are reported there. Errors: CallerError, NotFound.
        """
        if reason := self._url_reason(url):
            said = _URL_REASONS.get(reason, f"its address is {reason.replace('_', ' ')}")
            message = f"callbacks may not go to {url}: {said}; the settings under [callbacks] say what is allowed"
            raise CallerError("url_refused", message)
        owner = await tenant_to_change(self._ledger, self._clock, tenant)
        own_keys = {key.id for key in await self._ledger.keys() if key.tenant_id == owner.id}
        if for_key is not None and for_key not in own_keys:
            raise NotFound(f"tenant {owner.name} has no key {for_key}; see: loa keys list")
        secret = self._new_secret()
        record = await self._ledger.add_endpoint(owner.id, url, secret, every_step=every_step, inbound=inbound)
        if for_key is not None:
            await self._ledger.set_default_endpoint(for_key, record.id)
        shown = endpoint_shown(record, owner.name)
        return {**shown, "secret": secret if record.secrets[:1] == (secret,) else None}

    async def list_endpoints(self, *, tenant: Name | None = None) -> list[Shown]:
        """List endpoints with their health, without their secrets."""
        names = await tenant_names(self._ledger)
        wanted = None if tenant is None else (await tenant_named(self._ledger, tenant)).id
        return [endpoint_shown(each, names.get(each.tenant_id, "")) for each in await self._ledger.endpoints(wanted)]

    async def enable(self, *, endpoint_id: int) -> Shown:
        """Switch an endpoint on again. Errors: NotFound."""
        if all(each.id != endpoint_id for each in await self._ledger.endpoints()):
            raise NotFound(f"there is no endpoint {endpoint_id}; see: loa endpoints list")
        await self._ledger.set_endpoint_health(endpoint_id, None, None, "")
        names = await tenant_names(self._ledger)
        record = next(each for each in await self._ledger.endpoints() if each.id == endpoint_id)
        return endpoint_shown(record, names.get(record.tenant_id, ""))

    async def replay(
        self,
        *,
        tenant: Name = DEFAULT_TENANT,
        callbacks: tuple[str, ...] = (),
        endpoint_id: int | None = None,
        since: int = 0,
    ) -> Shown:
        """Make callbacks due again: those named, and all that failed at an endpoint since a time.

        Errors: CallerError, NotFound.
        """
        if not callbacks and endpoint_id is None:
            raise CallerError("nothing_named", "name callbacks, or an endpoint whose failed ones go out again")
        owner = await tenant_named(self._ledger, tenant)
        if endpoint_id is not None and all(each.id != endpoint_id for each in await self._ledger.endpoints(owner.id)):
            raise NotFound(f"tenant {owner.name} has no endpoint {endpoint_id}; see: loa endpoints list")
        ids = [_callback_id(each) for each in callbacks]
        return {"replayed": await self._ledger.replay(owner.id, ids, endpoint_id, since, self._clock.now())}


_URL_REASONS: Final = {
    "malformed": "it is no address of the form https://host/path",
    "scheme": "only https is allowed",
    "credentials": "it holds a name or a password",
    "port": "its port is not allowed",
}


def _callback_id(public: str) -> int:
    number = callback_id_from(public)
    if number is None:
        raise CallerError("callback_id", f"{public!r} is no id of a callback; it looks like cb_1B4")
    return number


def endpoint_shown(record: Endpoint, tenant: str) -> Shown:
    """Show an endpoint, without its secrets."""
    return {
        "id": record.id,
        "tenant": tenant,
        "url": record.url,
        "everyStep": record.every_step,
        "inbound": record.inbound,
        "secrets": len(record.secrets),
        "failingSince": instant(record.failing_since),
        "disabledAt": instant(record.disabled_at),
        "disabledReason": record.disabled_reason or None,
    }
