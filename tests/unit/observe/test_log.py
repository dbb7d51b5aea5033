"""Log lines carry known fields only, and never a number, a key or a text."""

import asyncio
import io
import json
import logging

import pytest
import structlog

from loa.errors import StorageUnavailable
from loa.observe.log import LEVELS, configure, get_logger

NUMBER = "84912345667"
KEY = "loa_live_0123456789abcdefghijABCDEFGHIJ01234567"
TEXT = "Ma xac thuc cua ban la CANARY"
CANARIES = (NUMBER, KEY, "CANARY", "0912345667")


@pytest.fixture
def stream():
    kept = list(logging.getLogger().handlers), logging.getLogger().level
    yield io.StringIO()
    structlog.reset_defaults()
    logging.getLogger().handlers[:], logging.getLogger().level = kept


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("as_json", [True, False])
def test_canaries_appear_nowhere(stream, as_json):
    configure(json=as_json, level="debug", stream=stream)
    log = get_logger("loa.test")
    log.info("accepted", destination=NUMBER, key=KEY, text=TEXT, body={"text": TEXT}, to=[NUMBER])
    carelessly_built = f"bad number {NUMBER} and key {KEY}"
    log.warning(carelessly_built, error=f"refused {NUMBER}", detail=f"tel {NUMBER}")
    log.info("ids", referent_id=NUMBER, message_id=f"{TEXT}", count=NUMBER, reason=f"for {NUMBER}", api_key=KEY)
    log.error("failed", error=ValueError(TEXT), url=f"https://example.vn/{KEY}?to={NUMBER}")
    try:
        raise ValueError(f"{TEXT} {NUMBER} {KEY}")
    except ValueError:
        log.exception("unexpected")
        logging.getLogger("uvicorn.error").exception("Exception in %s", TEXT)
    logging.getLogger("aiohttp.client").warning("sent %s to %s with %s", TEXT, NUMBER, KEY)
    written = stream.getvalue()
    assert len(written.splitlines()) >= 7
    assert [canary for canary in CANARIES if canary in written] == []


def test_a_line_is_one_object_with_the_known_fields_and_a_count_of_the_others(stream):
    configure(json=True, level="info", stream=stream)
    get_logger("loa.stages.intake").info("accepted", tenant="shop", count=3, destination=84912345667, secret="x", b=2)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "accepted",
        "level": "info",
        "source": "loa.stages.intake",
        "tenant": "shop",
        "count": 3,
        "destination": "84•••••••67",
        "dropped_fields": 2,
    }


def test_an_exception_shows_type_code_and_places_but_a_foreign_text_never(stream):
    configure(json=True, stream=stream)
    try:
        raise StorageUnavailable("disk I/O error")
    except StorageUnavailable:
        get_logger("x").exception("commit failed")
    try:
        raise KeyError(TEXT)
    except KeyError as error:
        get_logger("x").error("odd", exc_info=error)
    ours, foreign = lines(stream)
    assert ours["error_code"] == "storage_unavailable"
    assert ours["error"] == "disk I/O error"
    assert ours["error_type"] == "loa.errors.StorageUnavailable"
    assert "test_log.py" in ours["trace"][-1]
    assert foreign["error_type"] == "builtins.KeyError"
    assert "error" not in foreign


@pytest.mark.parametrize("level", LEVELS)
def test_levels_below_the_chosen_one_are_silent(stream, level):
    configure(json=True, level=level, stream=stream)
    log = get_logger("x")
    for name in LEVELS:
        getattr(log, name)(name)
    assert [line["level"] for line in lines(stream)] == list(LEVELS[LEVELS.index(level) :])


async def test_asyncio_reports_reach_the_log_without_the_exceptions_text(stream):
    configure(json=True, stream=stream)
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "Task exception was never retrieved", "exception": ValueError(TEXT)})
    (line,) = lines(stream)
    assert line["event"] == "Task exception was never retrieved"
    assert line["source"] == "asyncio"
    assert line["error_type"] == "builtins.ValueError"


def test_configuring_twice_writes_each_line_once(stream):
    configure(json=True, stream=stream)
    configure(json=True, stream=stream)
    logging.getLogger("aiohttp.server").error("boom %s", 1)
    assert [line["event"] for line in lines(stream)] == ["boom %s"]


def test_identifiers_pass_and_what_is_none_does_not(stream):
    configure(json=True, stream=stream)
    get_logger("x").info(
        "ids", referent_id="sub_01ARZ3NDEKTSV4RRFFQ69G5FAV", message_id=84912345667, callback_id="a b", request_id="1-2"
    )
    (line,) = lines(stream)
    assert line["referent_id"] == "sub_01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert line["message_id"] == "84912345667"
    assert line["callback_id"] == line["request_id"] == "?"
