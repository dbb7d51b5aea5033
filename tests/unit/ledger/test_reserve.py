"""The reserve: room for the end of the disk, given up and made again, whoever asks meanwhile."""

from pathlib import Path

import pytest

from loa.ledger.sqlite.reserve import Reserve

SIZE = 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "loa.db.reserve"


def test_it_takes_up_its_room_and_gives_it_up(path: Path) -> None:
    reserve = Reserve(path, SIZE, 0)
    reserve.fill()
    assert path.stat().st_size == SIZE <= path.stat().st_blocks * 512
    reserve.release()
    assert not path.exists()


def test_it_is_made_again_once_there_is_room(path: Path) -> None:
    reserve = Reserve(path, SIZE, 0)
    reserve.fill()
    reserve.release()
    assert reserve.has_room()
    assert path.stat().st_size == SIZE


def test_without_room_for_it_nothing_new_is_taken(path: Path) -> None:
    reserve = Reserve(path, 2**60, 0)
    reserve.fill()
    assert not reserve.has_room()
    assert not path.exists()


def test_below_the_floor_nothing_new_is_taken_though_the_reserve_stands(path: Path) -> None:
    Reserve(path, SIZE, 0).fill()
    assert not Reserve(path, SIZE, 2**60).has_room()
    assert path.exists()


def test_half_a_reserve_is_none(path: Path) -> None:
    path.write_bytes(b"x" * (SIZE // 2))
    reserve = Reserve(path, 2**60, 0)
    reserve.fill()
    assert not reserve.has_room()
    reserve = Reserve(path, SIZE, 0)
    reserve.fill()
    assert path.stat().st_size == SIZE


def test_an_admin_may_want_none(path: Path) -> None:
    reserve = Reserve(path, 0, 0)
    reserve.fill()
    reserve.release()
    assert reserve.has_room()
    assert not path.exists()


def test_a_folder_that_refuses_the_file_counts_as_no_room(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / ("x" * 300), SIZE, 0)
    with pytest.raises(OSError, match="name too long"):
        reserve.fill()
