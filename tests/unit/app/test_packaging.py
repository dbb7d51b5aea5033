"""Units and compose file start what there is: every flag, setting and path is one of ours, and the units are tight."""

import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.process import ROOT

from loa.cli.late import load_command
from loa.settings.load import load
from loa.settings.outline import outline
from loa.settings.tree import ROLES, Settings

PACKAGING = ROOT / "packaging"
UNITS = sorted((PACKAGING / "systemd").glob("*.service"))
DATABASE = "postgresql://loa@127.0.0.1/loa"
COMPOSE = yaml.safe_load((PACKAGING / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: each for name, each in COMPOSE["services"].items() if each["image"] == "loa"}
EXPOSURE_MAX = 20
"""Tenths of what `systemd-analyze security` says, from 0 to 10."""
FLAGS = {"roles": "roles", "workers": "server.workers", "port": "server.listen_port", "host": "server.listen_host"}


def lines_of(unit: Path, name: str) -> list[str]:
    """Give the values of a unit's directive, joined over lines."""
    text = unit.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def settings_of(arguments: list[str], environment: Mapping[str, str]) -> Settings:
    """Read a command line of `loa serve` as the program would. Errors: usage errors and ConfigError."""
    command, *rest = arguments
    given = load_command(command).make_context(command, list(rest)).params
    known = {name: value for name, value in environment.items() if not name.endswith("_FILE")}
    flags = {setting: given[flag] for flag, setting in FLAGS.items() if given.get(flag) is not None}
    in_file = {"LOA_DATABASE": DATABASE} if "LOA_DATABASE_FILE" in environment else {}
    return load(env={**known, **in_file}, flags=flags).settings


def variables_of(unit: Path) -> dict[str, str]:
    return dict(each.split("=", 1) for each in lines_of(unit, "Environment"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_tight(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager", str(unit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_there_is(unit: Path) -> None:
    (started,) = lines_of(unit, "ExecStart")
    program, *arguments = shlex.split(started)
    assert program == "/opt/loa/.venv/bin/loa"
    settings = settings_of(arguments, variables_of(unit))
    (waits_s,) = lines_of(unit, "TimeoutStopSec")
    assert float(waits_s) > settings.drain_s + settings.callbacks.timeout_s + 20
    assert lines_of(unit, "KillMode") == ["mixed"], "a worker is told by its parent"
    assert lines_of(unit, "Type") == ["notify"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_names_pages_and_variables_that_there_are(unit: Path) -> None:
    (page,) = lines_of(unit, "Documentation")
    assert (ROOT / page.removeprefix("file:///opt/loa/")).is_file()
    known = {setting.variable for setting in outline().values()}
    assert {name.removesuffix("_FILE") for name in variables_of(unit)} <= known
    assert set(re.findall(r"/var/lib/([\w-]+)", unit.read_text(encoding="utf-8"))) <= set(
        lines_of(unit, "StateDirectory")
    )


def test_the_units_of_a_cluster_share_all_roles_between_them() -> None:
    roles = [
        set(settings_of(shlex.split(lines_of(unit, "ExecStart")[0])[1:], variables_of(unit)).roles)
        for unit in UNITS
        if unit.stem != "loa"
    ]
    assert set.union(*roles) == set(ROLES)
    assert not set.intersection(*roles)


def test_the_containers_start_what_there_is_and_share_all_roles_between_them() -> None:
    roles: list[str] = []
    for service in OURS.values():
        variables = service["environment"]
        known = {setting.variable for setting in outline().values()}
        assert {name.removesuffix("_FILE") for name in variables} <= known
        if service["command"][0] == "serve":
            settings = settings_of(service["command"], variables)
            roles += settings.roles
            assert (
                float(service["stop_grace_period"].removesuffix("s")) > settings.drain_s + settings.callbacks.timeout_s
            )
        else:
            command, verb = service["command"]
            assert verb in load_command(command).commands
    assert set(roles) == set(ROLES)


def test_files_and_names_of_the_compose_file_are_there() -> None:
    build: dict[str, Any] = OURS["api1"]["build"]
    dockerfile = (PACKAGING / build["context"] / build["dockerfile"]).resolve()
    assert dockerfile == PACKAGING / "Dockerfile"
    needs = re.findall(r"-r (\S+)", dockerfile.read_text(encoding="utf-8"))
    assert needs
    assert all((ROOT / each).is_file() for each in needs)
    (config, _, _) = COMPOSE["services"]["balancer"]["volumes"][0].split(":")
    servers = re.findall(
        r"^\s+server (\S+) (\S+):8080$", (PACKAGING / config).read_text(encoding="utf-8"), re.MULTILINE
    )
    apis = {name for name, each in OURS.items() if "api,console" in each["command"]}
    assert {host for _, host in servers} == apis
    secrets = {"./secrets/database", "./secrets/keys", "./secrets/password"}
    assert {each["file"] for each in COMPOSE["secrets"].values()} == secrets
