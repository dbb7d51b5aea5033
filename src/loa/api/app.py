"""The whole API as one ASGI application.

The vendor's paths are served by plain handlers, everything else by the native app behind it; each face has a boundary
of its own, so that even a fault answers in the form its callers read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loa.api import problems
from loa.api.auth import Authenticator
from loa.api.bodies import BODY_LIMIT
from loa.api.boundary import App, Boundary, Receive, Scope, Send
from loa.api.texts import DEFAULT_LANGUAGE, Language
from loa.api.v1.build import build_native
from loa.api.v1.parts import Parts
from loa.api.vendor import envelope
from loa.api.vendor.callback import ReportCallback, ReportReader, SignatureCheck, unsigned
from loa.api.vendor.router import CALLBACK_PATH, PREFIX, SEND_PATH, Handler, VendorApi
from loa.api.vendor.send import SendMessage
from loa.ports.channel import ReceiptSink
from loa.ports.clock import Clock
from loa.stages.intake import Intake
from loa.stages.registry import Registry


@dataclass(frozen=True, slots=True)
class VendorParts:
    """What the vendor face works with.

    `report_readers`: for each provider that takes reports over HTTP, its `read_report`. Units: body_limit in bytes.
    """

    authenticator: Authenticator
    intake: Intake
    registry: Registry
    clock: Clock
    receipts: ReceiptSink
    report_readers: Mapping[str, ReportReader] = field(default_factory=dict)
    is_signed: SignatureCheck = unsigned
    body_limit: int = BODY_LIMIT
    language: Language = DEFAULT_LANGUAGE


def build_api(vendor: VendorParts, native: Parts, *, more: Mapping[str, App] | None = None) -> App:
    """Make the application. `more`: other applications by the path they are served under, such as a console."""
    apps: dict[str, App] = {
        PREFIX: Boundary(build_vendor(vendor), envelope.fault, vendor.language),
        **(more or {}),
    }
    return _Faces(apps, Boundary(build_native(native), problems.fault, native.language))


def by_path(apps: Mapping[str, App], rest: App) -> App:
    """Serve several applications, each by the path it lies under, and another for everything else."""
    return _Faces(apps, rest)


def build_vendor(parts: VendorParts) -> VendorApi:
    """Make the vendor face alone, without its boundary."""
    handlers: dict[str, Handler] = {
        SEND_PATH: SendMessage(parts.authenticator, parts.intake, parts.clock.monotonic, parts.body_limit),
        CALLBACK_PATH: ReportCallback(
            parts.authenticator, parts.registry, parts.report_readers, parts.receipts, parts.clock, parts.is_signed
        ),
    }
    return VendorApi(handlers, parts.language)


class _Faces:
    """Hands each request to the face its path belongs to."""

    def __init__(self, apps: Mapping[str, App], rest: App) -> None:
        self._apps = tuple((prefix, prefix + "/", app) for prefix, app in apps.items())
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        for prefix, below, app in self._apps:
            if path.startswith(below) or path == prefix:
                await app(scope, receive, send)
                return
        await self._rest(scope, receive, send)
