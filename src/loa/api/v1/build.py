"""The native API as one ASGI app, to be mounted beside the vendor API."""

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loa.api import health, problems
from loa.api.openapi import document, dump
from loa.api.openapi import install as install_openapi
from loa.api.v1 import endpoints, events, explain, messages, submissions, templates
from loa.api.v1.parts import Parts

PREFIX = "/api/v1"


_GUARDS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class NativeApi(FastAPI):
    """FastAPI without its outermost net: faults rise to the boundary, which logs without secrets and answers.

    Every answer may hold a tenant's data, so none may be kept by a cache.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_guarded(event: Message) -> None:
            if event["type"] == "http.response.start":
                event["headers"] = [*event["headers"], *_GUARDS]
            await send(event)

        await super().__call__(scope, receive, send_guarded)

    def build_middleware_stack(self) -> ASGIApp:
        """Leave out the layer that answers unexpected errors by itself."""
        outermost = super().build_middleware_stack()
        inner: ASGIApp = outermost.app  # type: ignore[attr-defined]
        return inner


def build_native(parts: Parts) -> NativeApi:
    """Make the native API.

    It answers `/api/v1/…`, health, metrics and `/openapi.json`, and problems for all other paths.
    """
    app = _bare_app()
    app.state.parts = parts
    app.state.language = parts.language
    install_openapi(app)
    return app


def describe() -> str:
    """Write docs/reference/openapi.json."""
    return dump(document(_bare_app()))


def _bare_app() -> NativeApi:
    app = NativeApi(
        title="Loa",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Spans and logs of the framework would carry paths and exceptions that hold tenants' data.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    native = APIRouter(prefix=PREFIX)
    for module in (submissions, messages, events, endpoints, templates, explain):
        native.include_router(module.router)
    app.include_router(native)
    app.include_router(health.router)
    problems.install(app)
    return app
