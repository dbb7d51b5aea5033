"""How a command ends: exit codes, and one clear sentence for every error that is expected."""

from enum import IntEnum
from typing import Final

from loa.errors import (
    CallerError,
    ConfigError,
    Forbidden,
    LedgerBusy,
    LoaError,
    NotFound,
    StorageError,
    Unauthorised,
)


class Exit(IntEnum):
    """Exit codes; scripts may rely on them."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    AUTH = 3
    NOT_FOUND = 4
    CONFLICT = 5
    LIMITED = 6
    UNAVAILABLE = 7


MEANINGS: Final = {
    Exit.OK: "done",
    Exit.FAILURE: "it failed, or what was asked about is not well",
    Exit.USAGE: "the command line, the settings or the request are wrong",
    Exit.AUTH: "no valid API key, or one that may not do this",
    Exit.NOT_FOUND: "there is no such thing",
    Exit.CONFLICT: "it is there already, or another process owns it",
    Exit.LIMITED: "too much at once; try again later",
    Exit.UNAVAILABLE: "Loa, its ledger or its disk is not available now",
}

_BY_STATUS: Final = {
    400: Exit.USAGE,
    401: Exit.AUTH,
    403: Exit.AUTH,
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
    413: Exit.USAGE,
    422: Exit.USAGE,
    429: Exit.LIMITED,
    502: Exit.UNAVAILABLE,
    503: Exit.UNAVAILABLE,
    504: Exit.UNAVAILABLE,
}


class Refused(LoaError):
    """The API answered with an error; the text is the API's own, in its language."""

    code = "refused"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail, status=status)
        self.status = status


class Unreachable(LoaError):
    """No Loa answers where one was expected."""

    code = "unreachable"


class Unwell(LoaError):
    """It worked, and what came of it is not well."""

    code = "unwell"


def exit_for(error: LoaError) -> Exit:
    """Give the exit code of an error."""
    match error:
        case Refused(status=status):
            return _BY_STATUS.get(status, Exit.FAILURE)
        case Unreachable():
            return Exit.UNAVAILABLE
        case Unauthorised() | Forbidden():
            return Exit.AUTH
        case NotFound():
            return Exit.NOT_FOUND
        case LedgerBusy():
            return Exit.CONFLICT
        case StorageError():
            return Exit.UNAVAILABLE
        case CallerError(code=code):
            return Exit.CONFLICT if code.endswith("_exists") else Exit.USAGE
        case ConfigError():
            return Exit.USAGE
        case _:
            return Exit.FAILURE
