"""Health for machines: alive, ready, and metrics for the neighbours."""

import ipaddress
from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, PlainTextResponse

from loa.api.v1.models import Wire
from loa.api.v1.parts import Network, PartsHere
from loa.errors import NotFound
from loa.observe import metrics

router = APIRouter(tags=["Health"])


class Alive(Wire):
    """The process runs and its event loop turns."""

    status: Literal["ok"] = "ok"
    version: str


class Check(Wire):
    """One condition of readiness."""

    name: Literal["ledger_writable", "not_draining"]
    ok: bool


class Readiness(Wire):
    """Whether requests should be sent here, and why not."""

    status: Literal["ready", "not_ready"]
    checks: list[Check]


@router.get("/livez", operation_id="livez")
async def livez(parts: PartsHere) -> Alive:
    """Tell that the process is alive; says nothing of what it depends on."""
    return Alive(version=parts.version)


@router.get(
    "/readyz",
    operation_id="readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Send nothing here now; the checks say why."}},
)
async def readyz(parts: PartsHere) -> Response:
    """Tell whether messages can be accepted: 200, or 503 with the conditions that fail.

    Links to providers do not count: while they are down, messages are accepted and wait.
    """
    checks = [
        Check(name="ledger_writable", ok=parts.ledger.writable()),
        Check(name="not_draining", ok=not parts.draining()),
    ]
    ready = all(check.ok for check in checks)
    body = Readiness(status="ready" if ready else "not_ready", checks=checks)
    return JSONResponse(body.model_dump(by_alias=True), 200 if ready else 503)


@router.get("/metrics", operation_id="metrics", response_class=PlainTextResponse)
async def read_metrics(parts: PartsHere, request: Request) -> Response:
    """Give all metrics in the Prometheus text format, to loopback addresses only unless the settings say otherwise."""
    if not _inside(request.client.host if request.client else "", parts.metrics_from):
        raise NotFound
    return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)


def _inside(address: str, networks: Sequence[Network]) -> bool:
    try:
        caller = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None)
    return any((mapped or caller) in network for network in networks)
