"""Endpoints that take callbacks, and callbacks once more."""

from fastapi import APIRouter, Request, Response

from loa.api.v1 import models, views
from loa.api.v1.bodies import described, read_body
from loa.api.v1.messages import milliseconds
from loa.api.v1.parts import Keeper, Parts, PartsHere
from loa.domain.callback_body import callback_id_from
from loa.domain.rules import Finding, refusal
from loa.errors import NotFound
from loa.stages.registry import Principal

router = APIRouter()


@router.get("/endpoints", operation_id="listEndpoints", tags=["Callbacks"])
async def list_endpoints(parts: PartsHere, caller: Keeper) -> models.Endpoints:
    """List the tenant's endpoints, with their health and without their secrets."""
    records = await parts.ledger.endpoints(caller.tenant_id)
    default_id = caller.key.endpoint_id
    return models.Endpoints(endpoints=[models.Endpoint(**views.endpoint(each, default_id)) for each in records])


@router.post(
    "/endpoints",
    operation_id="addEndpoint",
    tags=["Callbacks"],
    status_code=201,
    responses={200: {"model": models.NewEndpoint, "description": "It was there already, and is switched on again."}},
    openapi_extra=described(models.EndpointWanted.model_json_schema()),
)
async def add_endpoint(parts: PartsHere, caller: Keeper, request: Request, response: Response) -> models.NewEndpoint:
    """Add an endpoint; its secret is shown in this answer only.

    A URL that is there already is switched on again with the new settings; it keeps its secret, which is then null
    here, and the answer is 200.
    """
    wanted = await read_body(request, models.EndpointWanted)
    if reason := parts.check_url(wanted.url):
        raise refusal(Finding("url", "url_not_allowed", {"reason": reason}))
    secret = parts.new_secret()
    record = await parts.ledger.add_endpoint(
        caller.tenant_id, wanted.url, secret, every_step=wanted.every_step, inbound=wanted.inbound
    )
    default_id = caller.key.endpoint_id
    if wanted.is_default:
        await parts.ledger.set_default_endpoint(caller.key.id, record.id)
        default_id = record.id
    await parts.refresh()
    is_new = record.secrets[:1] == (secret,)
    if not is_new:
        response.status_code = 200
    return models.NewEndpoint(**views.endpoint(record, default_id), secret=secret if is_new else None)


@router.post(
    "/callbacks/replay",
    operation_id="replayCallbacks",
    tags=["Callbacks"],
    openapi_extra=described(models.ReplayWanted.model_json_schema()),
)
async def replay_callbacks(parts: PartsHere, caller: Keeper, request: Request) -> models.Replayed:
    """Make callbacks due again: those named, and with `endpointId` all that failed there, `since` a time or ever."""
    wanted = await read_body(request, models.ReplayWanted)
    if not wanted.callback_ids and wanted.endpoint_id is None:
        raise refusal(Finding("callbackIds", "required"))
    ids = _callback_ids(wanted.callback_ids)
    await _check_endpoint(parts, caller, wanted.endpoint_id)
    since = milliseconds(wanted.since) or 0
    count = await parts.ledger.replay(caller.tenant_id, ids, wanted.endpoint_id, since, parts.clock.now())
    return models.Replayed(replayed=count)


def _callback_ids(public: list[str]) -> list[int]:
    numbers = [callback_id_from(each) for each in public]
    wrong = [Finding(f"callbackIds[{at}]", "wrong_form") for at, number in enumerate(numbers) if number is None]
    if wrong:
        raise refusal(*wrong)
    return [number for number in numbers if number is not None]


async def _check_endpoint(parts: Parts, caller: Principal, endpoint_id: int | None) -> None:
    if endpoint_id is None:
        return
    if all(each.id != endpoint_id for each in await parts.ledger.endpoints(caller.tenant_id)):
        raise NotFound
