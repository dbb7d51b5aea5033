from pathlib import Path

import pytest

from loa.certify import programs
from loa.certify.cluster import find_programs
from loa.errors import ConfigError


def install(folder: Path, version: int, *, without: str = "") -> Path:
    """Make a folder of programs that say a version and can do nothing else."""
    folder.mkdir(parents=True)
    for name in programs.NEEDED:
        if name != without:
            (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.4 (Debian)'\n")
            (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing on PATH and nothing installed."""
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/bin")
    monkeypatch.setattr(programs, "_SHELVES", ((str(tmp_path / "lib"), "*/bin"),))
    return tmp_path


def test_the_newest_version_that_is_whole_and_supported_is_taken(machine):
    for version in (12, 13, 9, 17, 40):
        install(machine / "lib" / str(version) / "bin", version)
    install(machine / "lib" / "18" / "bin", 18, without="pg_basebackup")
    assert find_programs() == machine / "lib" / "17" / "bin"


def test_path_goes_first_and_a_link_leads_to_where_the_programs_lie(machine):
    install(machine / "lib" / "17" / "bin", 17)
    mine = install(machine / "mine", 15)
    (machine / "path" / "postgres").symlink_to(mine / "postgres")
    assert find_programs() == mine


def test_a_stray_program_on_path_is_passed_over(machine):
    whole = install(machine / "lib" / "16" / "bin", 16)
    (machine / "path" / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.1'\n")
    (machine / "path" / "postgres").chmod(0o755)
    assert find_programs() == whole


def test_programs_of_another_kind_are_passed_over(machine):
    other = install(machine / "lib" / "16" / "bin", 16)
    (other / "postgres").write_text("no program")
    with pytest.raises(ConfigError):
        find_programs()


def test_a_machine_without_postgresql_is_told_how_to_get_it(machine):
    with pytest.raises(ConfigError, match="sudo apt-get install -y postgresql"):
        find_programs()


def test_a_named_folder_has_to_be_whole_and_nothing_else_is_tried(machine):
    install(machine / "lib" / "17" / "bin", 17)
    named = install(machine / "named", 15, without="pg_ctl")
    with pytest.raises(ConfigError, match=r"named.*sudo apt-get install"):
        find_programs(named)
    (named / "pg_ctl").symlink_to(named / "initdb")
    assert find_programs(named) == named


def test_what_anybody_has_set_for_postgresql_does_not_reach_the_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("PGOPTIONS", "-c fsync=off")
    monkeypatch.setenv("LANG", "vi_VN.UTF-8")
    given = programs.environment(tmp_path)
    assert not {"PGOPTIONS", "LANG"} & given.keys()
    assert (given["LC_ALL"], given["HOME"]) == ("C", str(tmp_path))
