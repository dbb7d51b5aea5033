"""Exit codes: one for each kind of error, and one sentence beside it."""

import json

import pytest
import typer
from typer.testing import CliRunner

from loa.app.control_wire import failure, raised
from loa.cli.command import command, group
from loa.cli.failures import MEANINGS, Exit, Refused, Unreachable, Unwell, exit_for
from loa.cli.terminal import Terminal
from loa.errors import (
    CallerError,
    ConfigError,
    Forbidden,
    LedgerBusy,
    LoaError,
    NotFound,
    ProtocolError,
    SchemaMismatch,
    StorageError,
    StorageFull,
    StorageUnavailable,
    Unauthorised,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CallerError("expired", "no"), Exit.USAGE),
        (CallerError("tenant_exists", "no"), Exit.CONFLICT),
        (ConfigError("no"), Exit.USAGE),
        (Unauthorised("no"), Exit.AUTH),
        (Forbidden("forbidden", "no"), Exit.AUTH),
        (NotFound("no"), Exit.NOT_FOUND),
        (LedgerBusy("no"), Exit.CONFLICT),
        (StorageFull("no"), Exit.UNAVAILABLE),
        (StorageUnavailable("no"), Exit.UNAVAILABLE),
        (SchemaMismatch("no"), Exit.UNAVAILABLE),
        (StorageError("no"), Exit.UNAVAILABLE),
        (Unreachable("no"), Exit.UNAVAILABLE),
        (Unwell("no"), Exit.FAILURE),
        (ProtocolError("no"), Exit.FAILURE),
        (Refused(400, "no"), Exit.USAGE),
        (Refused(401, "no"), Exit.AUTH),
        (Refused(403, "no"), Exit.AUTH),
        (Refused(404, "no"), Exit.NOT_FOUND),
        (Refused(409, "no"), Exit.CONFLICT),
        (Refused(422, "no"), Exit.USAGE),
        (Refused(429, "no"), Exit.LIMITED),
        (Refused(500, "no"), Exit.FAILURE),
        (Refused(503, "no"), Exit.UNAVAILABLE),
    ],
)
def test_every_error_has_its_exit_code(error: LoaError, code: Exit) -> None:
    assert exit_for(error) is code


def test_every_exit_code_is_explained() -> None:
    assert set(MEANINGS) == set(Exit)


@pytest.mark.parametrize(
    "error",
    [
        CallerError("tenant_exists", "it is there"),
        Forbidden("forbidden", "not you"),
        NotFound("gone"),
        ConfigError("wrong"),
        LedgerBusy("owned"),
        StorageFull("full"),
        Unauthorised("who"),
    ],
)
def test_an_error_crosses_the_control_socket_as_what_it_is(error: LoaError) -> None:
    crossed = raised(json.loads(json.dumps(failure(error))))
    assert type(crossed) is type(error)
    assert (crossed.code, str(crossed)) == (error.code, str(error))


def test_an_answer_of_another_shape_is_still_an_error() -> None:
    assert type(raised({})) is LoaError
    assert type(raised({"error": "Exception", "detail": "odd"})) is LoaError


def failing(error: BaseException) -> typer.Typer:
    app = group("A group.")

    @command(app, "fail", example="loa fail", settings=False)
    async def fail(terminal: Terminal) -> None:
        raise error

    return app


def test_a_failure_is_one_sentence_on_standard_error() -> None:
    ended = CliRunner().invoke(failing(NotFound("there is no such thing")), [])
    assert (ended.exit_code, ended.stdout, ended.stderr) == (4, "", "Error: there is no such thing\n")


def test_a_failure_in_json_is_one_object_on_standard_error() -> None:
    ended = CliRunner().invoke(failing(NotFound("gone")), ["--json"])
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert json.loads(ended.stderr) == {"error": "not_found", "detail": "gone", "exit": 4}


def test_ctrl_c_ends_a_command_as_shells_expect() -> None:
    assert CliRunner().invoke(failing(KeyboardInterrupt()), []).exit_code == 130
