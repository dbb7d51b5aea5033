"""The checker itself: evidence of each kind of failure is found, so that a silent checker cannot hide one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from loa.certify.client import OTP, TRANSACTIONAL, Ask
from loa.certify.invariants import Evidence, Violated

NUMBER, OTHER = "84912000001", "84912000002"
KEPT = {"ref": "9", "stat": "DELIVRD", "result": "applied", "repeats": 0}


def told(number: str, sequence: int, state: str) -> dict[str, Any]:
    return {"msisdn": number, "messageId": f"msg_{number}", "sequence": sequence, "state": state}


def message(number: str, state: str, kind: str, **more: Any) -> dict[str, Any]:
    row = {"messageId": f"msg_{number}", "referentId": f"sub_{kind}", "destination": number, "state": state}
    return {**row, "class": kind, "possibleDuplicate": False, "segmentCount": 1, **more}


def attempt(outcome: str, *refs: str) -> dict[str, Any]:
    return {"outcome": outcome, "segments": [{"number": 1, "providerRef": ref} for ref in refs]}


def story(row: dict[str, Any], *attempts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**row, "events": [], "attempts": list(attempts), "receipts": [], **more}


def submit(number: str, sequence: int = 7) -> dict[str, Any]:
    return {"kind": "submit", "number": sequence, "id": str(sequence), "destination": number, "part": None}


def callback(number: str, state: str, callback_id: str, sequence: int = 1) -> dict[str, Any]:
    return {"id": callback_id, "verdict": "valid", "body": told(number, sequence, state)}


def sound() -> Evidence:
    """A code that nobody knows of any more, and a notice that arrived after a flagged re-send."""
    code = Ask("a", OTP, (f"0{NUMBER[2:]}",), "1234", replies=[{"referentId": "sub_otp", "data": {"token": "t1"}}])
    notice = Ask("b", TRANSACTIONAL, (f"0{OTHER[2:]}",), "hello")
    notice.replies.append({"referentId": "sub_transactional", "data": {"token": "t2"}})
    rows = [message(NUMBER, "unknown", "otp"), message(OTHER, "delivered", "transactional", possibleDuplicate=True)]
    feed = [told(NUMBER, 1, "unknown"), told(OTHER, 1, "delivered")]
    return Evidence(
        asks=[code, notice],
        promises=[{"requestId": "a", "numbers": [NUMBER]}, {"requestId": "b", "numbers": [OTHER]}],
        messages=rows,
        timelines={
            rows[0]["messageId"]: story(rows[0], attempt("unknown")),
            rows[1]["messageId"]: story(rows[1], attempt("unknown"), attempt("accepted", "9"), receipts=[KEPT]),
        },
        feed=feed,
        submits=[submit(NUMBER, 7), submit(OTHER, 8), submit(OTHER, 9)],
        told=[{"number": 9, "stat": "DELIVRD", "status": 0}],
        callbacks=[callback(NUMBER, "unknown", "cb_1"), callback(OTHER, "delivered", "cb_2")],
        orphans=0,
        samples=[{NUMBER: "sending", OTHER: "queued"}, {NUMBER: "unknown", OTHER: "delivered"}],
        kills=1,
    )


def retold(evidence: Evidence, **changed: Any) -> Evidence:
    """Change the story of the notice."""
    rows = evidence.timelines
    return replace(evidence, timelines={**rows, f"msg_{OTHER}": {**rows[f"msg_{OTHER}"], **changed}})


def test_sound_evidence_passes() -> None:
    sound().check()


FLAWS: dict[str, tuple[str, Callable[[Evidence], Evidence]]] = {
    "an acknowledged message is gone": ("I1", lambda e: replace(e, messages=e.messages[1:])),
    "a message hangs": ("I1", lambda e: replace(e, messages=[message(NUMBER, "sending", "otp"), e.messages[1]])),
    "nobody asked for it": ("I2", lambda e: replace(e, messages=[*e.messages, message("84900", "unknown", "otp")])),
    "one request, two messages": ("I2", lambda e: replace(e, messages=[*e.messages, e.messages[0]])),
    "a code was sent twice": ("I3", lambda e: replace(e, submits=[*e.submits, submit(NUMBER, 10)])),
    "a notice was sent three times": ("I3", lambda e: replace(e, submits=[*e.submits, submit(OTHER, 10)])),
    "a second hand-over without its flag": (
        "I3",
        lambda e: replace(e, messages=[e.messages[0], message(OTHER, "delivered", "transactional")]),
    ),
    "a flagged code": (
        "I3",
        lambda e: replace(e, messages=[message(NUMBER, "unknown", "otp", possibleDuplicate=True), e.messages[1]]),
    ),
    "duplicates without a crash": ("I3", lambda e: replace(e, kills=0)),
    "a state went back": ("I4", lambda e: replace(e, feed=[*e.feed, told(OTHER, 2, "undelivered")])),
    "one step told in two ways": (
        "I4",
        lambda e: replace(e, callbacks=[*e.callbacks, callback(OTHER, "rejected", "cb_2")]),
    ),
    "the API went back": ("I4", lambda e: replace(e, samples=[{OTHER: "sent"}, {OTHER: "queued"}])),
    "delivered without being handed over": ("I5", lambda e: replace(e, submits=e.submits[:1])),
    "handed over and rejected": (
        "I5",
        lambda e: replace(e, messages=[message(NUMBER, "rejected", "otp"), e.messages[1]]),
    ),
    "an acknowledged receipt is gone": ("I6", lambda e: retold(e, receipts=[])),
    "an acknowledged receipt of a lost ref is gone": (
        "I6",
        lambda e: replace(e, told=[*e.told, {"number": 8, "stat": "DELIVRD", "status": 0}]),
    ),
    "a receipt of a known ref was left apart": ("I6", lambda e: replace(retold(e, receipts=[]), orphans=1)),
    "a wrong signature": ("I7", lambda e: replace(e, callbacks=[{**e.callbacks[0], "verdict": "invalid"}])),
    "an event was not told": ("I7", lambda e: replace(e, callbacks=e.callbacks[1:])),
    "a repeat under another id": (
        "I7",
        lambda e: replace(e, callbacks=[*e.callbacks, callback(OTHER, "delivered", "cb_3")]),
    ),
    "one id for two events": (
        "I7",
        lambda e: replace(e, callbacks=[e.callbacks[0], callback(OTHER, "delivered", "cb_1")]),
    ),
    "an end without an event": ("I7", lambda e: replace(e, feed=e.feed[1:])),
    "an accepted attempt the SMSC never took": (
        "I8",
        lambda e: retold(e, attempts=[attempt("accepted"), attempt("accepted"), attempt("accepted", "9")]),
    ),
    "a segment nobody counts": ("I8", lambda e: retold(e, attempts=[attempt("accepted", "9")])),
    "a segment counted twice": (
        "I8",
        lambda e: retold(e, attempts=[attempt("unknown", "9"), attempt("accepted", "9")]),
    ),
    "a ref that no SMSC gave": ("I8", lambda e: retold(e, attempts=[attempt("unknown"), attempt("accepted", "77")])),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_is_found(flaw: str) -> None:
    invariant, spoil = FLAWS[flaw]
    spoiled = spoil(sound())
    assert invariant in {violation.rule for violation in spoiled.violations()}
    with pytest.raises(Violated, match=invariant):
        spoiled.check()


def test_what_was_lost_and_repeated_is_counted() -> None:
    assert (sound().lost, sound().repeated, sound().bound) == (0, 1, 20)
    assert replace(sound(), messages=[message(NUMBER, "sending", "otp")]).lost == 2


def test_a_receipt_of_a_lost_ref_is_kept_as_an_orphan() -> None:
    told = [*sound().told, {"number": 8, "stat": "DELIVRD", "status": 0}]
    replace(sound(), told=told, orphans=1).check()


def test_while_loa_is_busy_a_receipt_may_still_wait_for_the_message_of_its_ref() -> None:
    replace(retold(sound(), receipts=[]), orphans=1).check_so_far()
    with pytest.raises(Violated, match="I6"):
        retold(sound(), receipts=[]).check_so_far()
