"""Master keys: written and read, and the file that they lie in."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loa.errors import ConfigError
from loa.seal.keyfile import KeyFile
from loa.seal.keyring import Keyring, MasterKey

ONE, TWO = MasterKey.of(b"1" * 32), MasterKey.of(b"2" * 32)
ONLY_KEY = base64.b64encode(ONE.octets).decode()


def test_keys_are_read_as_they_are_written() -> None:
    keyring = Keyring((ONE, TWO))
    assert Keyring.read(keyring.written(), "x") == keyring
    lines = f"# remark\n\n{ONE.written()} # old\r\n{TWO.written()}\n"
    assert Keyring.read(lines, "x") == keyring
    assert Keyring.read(f" {ONLY_KEY} , {ONLY_KEY}", "x") == Keyring((ONE,))
    assert Keyring.read("# nothing", "x") == Keyring()


def test_an_id_says_nothing_of_its_key_and_belongs_to_one_only() -> None:
    assert ONE.id != TWO.id
    assert len(ONE.id) == 12
    assert "1111" not in repr(ONE)
    assert MasterKey.fresh() != MasterKey.fresh()
    assert Keyring((ONE, TWO)).get(TWO.id) is TWO


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hunter2", "key 1 of there is not a master key: write ID:KEY"),
        (f"{ONE.written()},{base64.b64encode(b'short').decode()}", "key 2 of there is not a master key"),
        (f"{TWO.id}:{ONLY_KEY}", f"does not belong to its id {TWO.id}: it was copied wrongly"),
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        Keyring.read(text, "there")
    assert "hunter2" not in str(refused.value)
    assert ONLY_KEY not in str(refused.value)


def test_a_key_has_32_octets() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 5"):
        MasterKey.of(b"short")


def test_the_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "below" / "master.key")
    assert file.path.parent.exists() is False
    file.path.parent.mkdir()
    assert file.read() == Keyring()
    made = file.make()
    assert file.make() == file.read() == made
    assert len(made.keys) == 1
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [each.name for each in file.path.parent.iterdir()] == ["master.key"]


def test_all_who_make_it_at_once_have_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: KeyFile(tmp_path / "master.key").make(), range(16)))
    assert len({keyring.ids for keyring in made}) == 1


def test_what_a_crash_left_half_written_is_no_key(tmp_path: Path) -> None:
    (tmp_path / ".master.key.part").write_text("half")
    file = KeyFile(tmp_path / "master.key")
    assert file.read() == Keyring()
    assert file.make() == file.read()


def test_a_key_is_added_before_the_others(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "master.key")
    first = file.make().keys[0]
    added = file.add_fresh()
    assert (file.read(), added.ids[1:]) == (added, (first.id,))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = KeyFile(tmp_path / "master.key")
    file.make()
    file.path.chmod(mode)
    with pytest.raises(ConfigError, match=r"is open to others .* chmod 600"):
        file.read()


def test_an_empty_file_is_not_taken_for_none(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "master.key")
    file.path.touch(mode=0o600)
    with pytest.raises(ConfigError, match="is empty: put it back"):
        file.make()


def test_a_file_that_cannot_be_had_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot write the key file .*seal\.key_file"):
        KeyFile(tmp_path / "file" / "master.key").make()
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(ConfigError, match="cannot read the key file"):
        KeyFile(tmp_path / "folder").read()
