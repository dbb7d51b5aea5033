import asyncio
import json
import os

import pytest

from loa.simulators import journal as journal_module
from loa.simulators.journal import Journal, read_journal


async def test_without_a_path_everything_is_called_back_at_once():
    called = []
    journal = Journal(None)
    journal.open()
    journal.append({"a": 1}, lambda: called.append(1))
    assert called == [1]
    await journal.close()


async def test_lines_are_on_disk_before_anyone_is_called_back(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal, seen = Journal(path), []
    journal.open()
    for number in range(3):
        journal.append({"n": number, "text": "Đã gửi"}, lambda: seen.append(path.read_text(encoding="utf-8")))
    assert seen == []
    await journal.close()
    assert len(seen) == 3
    assert [json.loads(line)["n"] for line in seen[0].splitlines()] == [0, 1, 2]
    assert [line["text"] for line in read_journal(path)] == ["Đã gửi"] * 3


async def test_lines_of_one_moment_share_one_fsync(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(journal_module.os, "fsync", lambda file: synced.append(file))
    journal = Journal(tmp_path / "journal.jsonl")
    journal.open()
    for number in range(100):
        journal.append({"n": number})
    await journal.close()
    assert len(synced) == 1


async def test_a_torn_line_spoils_no_other(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"n":1}\n{"n":2,"te')
    journal = Journal(path)
    journal.open()
    journal.append({"n": 3})
    await journal.close()
    assert [line["n"] for line in read_journal(path)] == [1, 3]


async def test_a_journal_that_cannot_write_calls_nobody_back_and_says_so(tmp_path):
    called = asyncio.Event()
    journal = Journal(tmp_path / "journal.jsonl")
    journal.open()
    os.close(journal._file)
    journal._file = os.open("/dev/full", os.O_WRONLY)
    journal.append({"n": 1}, called.set)
    with pytest.raises(OSError, match="No space left"):
        await journal.close()
    assert not called.is_set()


async def test_a_lone_surrogate_can_be_written_and_read_again(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.open()
    journal.append({"text": "\ud83d"})
    await journal.close()
    assert list(read_journal(path)) == [{"text": "\ud83d"}]
