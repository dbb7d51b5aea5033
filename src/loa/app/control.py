"""The control socket: the verbs of administration over HTTP on a unix socket that only this user may open.

The process that runs the gateway owns the ledger, so the command line asks it through here; what is changed takes
effect at once, without a restart. What crosses the socket stands in control_wire.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loa.app.admin import Admin
from loa.app.control_wire import PATH, failure, socket_path
from loa.app.gateway import Gateway
from loa.app.servers import bind_local
from loa.errors import CallerError, LoaError

BODY_LIMIT: Final = 4 * 1024 * 1024


def build_control(admin: Admin) -> Starlette:
    """Make the application that serves the verbs."""

    async def do(request: Request) -> Response:
        try:
            verb, args = await _asked(request)
            return JSONResponse({"result": await admin.do(verb, args)})
        except LoaError as error:
            return JSONResponse(failure(error), status_code=422)

    return Starlette(routes=[Route(PATH, do, methods=["POST"])])


async def open_control(gateway: Gateway) -> Path:
    """Serve the control socket of a started gateway until it stops; give where it lies. Errors: ConfigError."""
    path = socket_path(gateway.settings.data_dir)
    await gateway.listen(build_control(gateway.admin), bind_local(path))
    return path


async def _asked(request: Request) -> tuple[str, Mapping[str, Any]]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise CallerError("body_too_large", "the command is too long")
    try:
        asked = json.loads(body)
        verb, args = asked["verb"], asked.get("args", {})
    except (ValueError, TypeError, LookupError, AttributeError):
        raise CallerError("not_a_command", 'send {"verb": "…", "args": {…}}') from None
    if not isinstance(verb, str) or not isinstance(args, dict):
        raise CallerError("not_a_command", 'send {"verb": "…", "args": {…}}')
    return verb, args
