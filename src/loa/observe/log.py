"""Structured logs: one JSON object or one console line an event, with known fields only.

Own code logs through `get_logger`; what libraries send to the standard `logging` passes the same net: of their lines
only the template, without its arguments, is kept. Tracebacks keep places, never values.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Protocol, TextIO, cast

import structlog

from loa.errors import LoaError
from loa.observe.fields import only_known
from loa.observe.redact import scrub, speaks_safely

LEVELS = ("debug", "info", "warning", "error")
_TRACE_FRAMES = 12


class Log(Protocol):
    """A logger: an event in plain words that never change, and known fields."""

    def debug(self, event: str, **fields: object) -> object:
        """Note something only a developer looks for."""
        ...

    def info(self, event: str, **fields: object) -> object:
        """Note something an admin may want to know."""
        ...

    def warning(self, event: str, **fields: object) -> object:
        """Note something an admin should look at."""
        ...

    def error(self, event: str, **fields: object) -> object:
        """Note something that is broken."""
        ...

    def exception(self, event: str, **fields: object) -> object:
        """Note an error with the exception that is being handled."""
        ...


def get_logger(name: str) -> Log:
    """Give the logger of a module; it follows `configure` at any later time."""
    return cast("Log", structlog.get_logger(source=name))


def configure(json: bool, level: str = "info", stream: TextIO | None = None) -> None:
    """Set up logging for this process; a later call replaces an earlier one.

    Shapes: level is one of LEVELS; stream defaults to standard error, so that standard output stays data.
    """
    out = stream if stream is not None else sys.stderr
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        if json
        else structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=32)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _describe_exception,
            only_known,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    _adopt_standard_logging(level)


def _adopt_standard_logging(level: str) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _Adopter):
            root.removeHandler(handler)
    root.addHandler(_Adopter())
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))


class _Adopter(logging.Handler):
    """Passes records of libraries on: the first line of the template, no arguments, which may hold anything."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get_logger(record.name)
        fields: dict[str, Any] = {"exc_info": record.exc_info} if record.exc_info else {}
        template = str(record.msg).partition("\n")[0]
        if record.levelno >= logging.ERROR:
            log.error(template, **fields)
        elif record.levelno >= logging.WARNING:
            log.warning(template, **fields)
        else:
            log.info(template, **fields)


ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def _describe_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace `exc_info` by the exception's type, its text where that is ours or the system's, and the places."""
    error = _exception_of(event.pop("exc_info", None))
    event.pop("stack_info", None)
    if error is None:
        return event
    event["error_type"] = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, LoaError):
        event["error_code"] = error.code
    if speaks_safely(error):
        event.setdefault("error", scrub(str(error)))
    frames = traceback.extract_tb(error.__traceback__)[-_TRACE_FRAMES:]
    event["trace"] = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _exception_of(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return cast("ExcInfo", given)[1]
    return sys.exc_info()[1] if given else None


def _short(filename: str) -> str:
    parts = filename.replace("\\", "/").split("/")
    return "/".join(parts[-3:])
