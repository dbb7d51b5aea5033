"""What crosses the control socket, and where it lies: shared by the side that serves it and the side that asks.

Shapes: POST /do {"verb", "args"} -> {"result"} or {"error", "code", "detail"}.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from loa import errors
from loa.errors import LoaError

SOCKET_NAME: Final = "loa.sock"
PATH: Final = "/do"

KINDS: Final = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LoaError)
}
"""Every error class by its name, so that an error crosses the socket as what it is."""


def socket_path(data_dir: Path) -> Path:
    """Say where the socket of a data directory lies."""
    return data_dir / SOCKET_NAME


def failure(error: LoaError) -> dict[str, str]:
    """Write an error for the socket."""
    return {"error": type(error).__name__, "code": error.code, "detail": error.detail}


def raised(said: Mapping[str, Any]) -> LoaError:
    """Read an error that came over the socket."""
    kind = KINDS.get(str(said.get("error")), LoaError)
    detail, code = str(said.get("detail", "")), str(said.get("code", ""))
    if issubclass(kind, errors.CallerError | errors.Forbidden):
        return kind(code, detail)
    return kind(detail)
