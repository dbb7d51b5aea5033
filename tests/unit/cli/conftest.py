"""What the tests of the command line share."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests.support.postgres import postgres
from typer.testing import CliRunner

from loa.cli.main import app

__all__ = ["postgres"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Commands set up logging for their process; here many of them share one."""
    before, handlers, level = structlog.get_config(), list(logging.root.handlers), logging.root.level
    yield
    structlog.configure(**before)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, on a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOA_LEDGER__RESERVE_BYTES", "0")
    monkeypatch.setenv("LOA_LIMITS__DISK_FREE_MIN_BYTES", "0")
    runner = CliRunner()

    def run(*args: object, given: str = "") -> Ended:
        result = runner.invoke(app, [str(each) for each in args], input=given, prog_name="loa")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run
