"""What every API call needs first: whose token it is, and what its body or its query says."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from loa.simulators.zalo.exchange import Exchange, pairs
from loa.simulators.zalo.judge import Subject
from loa.simulators.zalo.platform import Case, Payload, Platform, Refusal
from loa.simulators.zalo.state import OaState

Read = Callable[[Platform, OaState, Mapping[str, Any]], Payload]
"""Answers a call that changes nothing. Errors: Refusal."""


def bearer(platform: Platform, exchange: Exchange, unknown: int, expired: int) -> OaState:
    """Find whose access token it is. Errors: Refusal with the surface's code."""
    token = exchange.header(b"access_token")
    found = platform.tokens.holder(token)
    now = platform.clock.now()
    if found is None:
        platform.counts.bad_tokens += 1
        raise Refusal(expired if platform.tokens.is_gone(token) else unknown)
    oa, issued_at = found
    if now >= issued_at + platform.script.token_life_s * 1000:
        platform.counts.bad_tokens += 1
        raise Refusal(expired)
    oa.turn_over(now)
    return oa


def body_of(exchange: Exchange) -> Mapping[str, Any]:
    """Read a JSON object; empty for what is none."""
    if not exchange.header(b"content-type").startswith("application/json"):
        return {}
    try:
        body = json.loads(exchange.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def query_of(exchange: Exchange) -> Mapping[str, Any]:
    """Read ordinary query parameters."""
    return pairs(exchange.query)


def data_of(exchange: Exchange) -> Mapping[str, Any]:
    """Read the query parameter `data`, which is JSON; empty for what is none."""
    try:
        data = json.loads(pairs(exchange.query).get("data", "{}"))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def reads(
    answer: Read, values: Callable[[Exchange], Mapping[str, Any]], unknown: int, expired: int
) -> Callable[[Platform, Exchange], Case]:
    """Make a route of a call that changes nothing."""

    def route(platform: Platform, exchange: Exchange) -> Case:
        case = Case(Subject("reading"))
        with case:
            case.oa = bearer(platform, exchange, unknown, expired)
            given = {**values(exchange), "journey_token": exchange.header(b"journey_token")}
            case.commit = partial(dict, answer(platform, case.oa, given))
        return case

    return route


def text_in(values: Mapping[str, Any], name: str) -> str:
    """Give a text member, "" where there is none or it is something else."""
    value = values.get(name)
    return value if isinstance(value, str) else ""
