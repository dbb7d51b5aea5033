"""Ledger rows as the models of the native API."""

from dataclasses import replace
from typing import Any

from loa.api.v1 import models
from loa.domain.callback_body import ToldAgain, callback_body, callback_public_id, inbound_body, utc_text
from loa.domain.destination import written
from loa.domain.ids import message_public_id
from loa.domain.lifecycle import State
from loa.observe.redact import mask_msisdn
from loa.ports.records import Endpoint, Row

RECEIPT_GRACE_MS = 86_400_000
"""How long after a message's lifetime a receipt may still come before its absence is said."""


def instant(at: int | None) -> str | None:
    """Write a time, null where there is none."""
    return utc_text(at) if at else None


def state_of(label: str) -> State:
    """Read a state's label."""
    return State[label.upper()]


def _message_fields(row: Row, now: int) -> dict[str, Any]:
    return {
        "message_id": message_public_id(row["id"]),
        "referent_id": row["referent_id"],
        "request_id": row["request_id"] or None,
        "destination": written(row["destination"]),
        "sender": row["sender"],
        "traffic_class": row["class"],
        "state": row["state"],
        "channel": row["channel"] or None,
        "error": row["error"] or None,
        "segment_count": row["segment_count"],
        "attempt_count": row.get("attempts_made", row["attempts"]),
        "possible_duplicate": row["possible_duplicate"],
        "double_reach": row["double_reach"],
        "dead": row["dead"],
        "no_receipt": row["state"] == State.SENT.label and row["expires_at"] + RECEIPT_GRACE_MS < now,
        "accepted_at": utc_text(row["accepted_at"]),
        "due_at": instant(row["due_at"]),
        "expires_at": utc_text(row["expires_at"]),
        "updated_at": utc_text(row["updated_at"]),
    }


def message(row: Row, now: int) -> models.Message:
    """Show one message."""
    return models.Message(**_message_fields(row, now))


def submission(
    row: Row, messages: list[Row], next_cursor: str | None, *, now: int, with_content: bool
) -> models.Submission:
    """Show a submission with a page of its messages."""
    return models.Submission(
        referent_id=row["referent_id"],
        request_id=row["request_id"] or None,
        sender=row["sender"],
        traffic_class=row["class"],
        encoding=row["encoding"],
        segment_count=row["segment_count"],
        message_count=row["message_count"],
        text=row["text"] if with_content else None,
        scheduled=row["scheduled"],
        accepted_at=utc_text(row["accepted_at"]),
        due_at=utc_text(row["due_at"]),
        expires_at=utc_text(row["expires_at"]),
        ext=row["ext"] or {},
        messages=[message(each, now) for each in messages],
        next_cursor=next_cursor,
    )


def token_status(row: Row, messages: list[Row], next_cursor: str | None) -> models.TokenStatus:
    """Show what a token's holder may see."""
    return models.TokenStatus(
        referent_id=row["referent_id"],
        message_count=row["message_count"],
        accepted_at=utc_text(row["accepted_at"]),
        due_at=utc_text(row["due_at"]),
        expires_at=utc_text(row["expires_at"]),
        messages=[
            models.MaskedMessage(
                destination=mask_msisdn(each["destination"]),
                state=each["state"],
                updated_at=utc_text(each["updated_at"]),
            )
            for each in messages
        ],
        next_cursor=next_cursor,
    )


def timeline(row: Row, *, now: int, with_content: bool) -> models.Timeline:
    """Show a message with everything that happened to it."""
    return models.Timeline(
        **_message_fields(row, now),
        text=row["text"] if with_content else None,
        cost=row["cost"],
        attempts=[_attempt(each) for each in row["attempts"]],
        receipts=[_receipt(each, with_content) for each in row["receipts"]],
        events=[
            models.Event(
                sequence=each["sequence"],
                state=each["state"],
                at=utc_text(each["at"]),
                error=each["error"] or None,
                channel=each["channel"] or None,
            )
            for each in row["events"]
        ],
        callbacks=[_callback(each) for each in row["callbacks"]],
    )


def _attempt(row: Row) -> models.Attempt:
    return models.Attempt(
        number=row["number"],
        channel=row["channel"],
        claimed_at=utc_text(row["claimed_at"]),
        done_at=instant(row["done_at"]),
        outcome=row["outcome"] or None,
        reason=row["reason"] or None,
        price=row["price"],
        charged=row["charged"],
        segments=[
            models.Segment(
                number=each["segment"] + 1,
                provider_ref=each["provider_ref"] or None,
                state=each["state"],
                at=instant(each["at"]),
            )
            for each in row["segments"]
        ],
    )


def _receipt(row: Row, with_content: bool) -> models.Receipt:
    return models.Receipt(
        received_at=utc_text(row["received_at"]),
        ref=row["ref"],
        stat=row["stat"],
        state=row["state"],
        detail=row["detail"] or None,
        result=row["result"],
        repeats=row["repeats"],
        raw=raw_receipt(row["raw"]) if with_content else None,
    )


def raw_receipt(hexadecimal: str) -> models.RawReceipt:
    """Show bytes that anybody may have made: as hexadecimal digits, and as text that is safe to look at."""
    octets = bytes.fromhex(hexadecimal)
    text = "".join(chr(each) if 32 <= each < 127 and each != 92 else f"\\x{each:02x}" for each in octets)
    return models.RawReceipt(hex=octets.hex(), text=text)


def _callback(row: Row) -> models.Callback:
    return models.Callback(
        callback_id=callback_public_id(row["id"]),
        sequence=row["sequence"],
        state=row["state"],
        url=row["url"],
        due_at=instant(row["due_at"]),
        done_at=instant(row["done_at"]),
        result=row["result"] or None,
        tries=[
            models.CallbackTry(
                number=each["number"],
                at=utc_text(each["at"]),
                status=each["status"] or None,
                error=each["error"] or None,
                excerpt=each["excerpt"],
                elapsed_ms=each["elapsed_ms"],
            )
            for each in row["tries"]
        ],
    )


def endpoint(record: Endpoint, default_id: int | None) -> dict[str, Any]:
    """Give an endpoint's fields; its secrets are not among them."""
    return {
        "endpoint_id": record.id,
        "url": record.url,
        "every_step": record.every_step,
        "inbound": record.inbound,
        "is_default": record.id == default_id,
        "failing_since": instant(record.failing_since),
        "disabled_at": instant(record.disabled_at),
        "disabled_reason": record.disabled_reason or None,
    }


def event(row: Row, *, with_content: bool) -> models.CallbackBody | models.InboundBody:
    """Show an event exactly as its callback's body does; what a user wrote, to those alone who may read content."""
    inbound = row["inbound"]
    if inbound is not None:
        shown = inbound if with_content else replace(inbound, body={})
        return models.InboundBody.model_validate(inbound_body(shown))
    told = ToldAgain(
        message_id=row["message_id"],
        sequence=row["sequence"],
        state=state_of(row["state"]),
        error=row["error"],
        occurred_at=row["at"],
        possible_duplicate=row["possible_duplicate"],
        double_reach=row["double_reach"],
        cost=row["cost"],
        destination=row["destination"],
        channel=row["channel"],
        segment_count=row["segment_count"],
        referent_id=row["referent_id"],
        request_id=row["request_id"],
        sent_at=row["sent_at"],
        handed_over_at=row["handed_over_at"] or 0,
        metadata=row["metadata"],
    )
    return models.CallbackBody.model_validate(callback_body(told))
