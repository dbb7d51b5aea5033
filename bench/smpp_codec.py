"""Microseconds per operation of the SMPP package: writing, reading, receipts, framing, the session.

    PYTHONPATH=src python bench/smpp_codec.py [repeats]

Prints the best of the repeats, with the target where there is one. No sockets, no threads, one core.
"""

import sys
import timeit
from collections.abc import Callable

from loa.smpp import commands as c
from loa.smpp import pdu as p
from loa.smpp import receipt
from loa.smpp.codec import SubmitTemplate, decode, encode, encode_submit_sm
from loa.smpp.framing import FrameBuffer
from loa.smpp.payload import content
from loa.smpp.refs import candidate_refs
from loa.smpp.session import Session, Side, State

TEXT = b"Ma xac thuc cua ban la 482915. Khong chia se ma nay cho bat ky ai. Hieu luc 5 phut."
USUAL = (
    b"id:3C6F2A91 sub:001 dlvrd:001 submit date:2611230914 done date:2611230915 stat:DELIVRD err:000 "
    b"text:Ma xac thuc cua ban"
)
ODD = b"id:3C6F2A91,stat:DELIVERED,err:0A1,submit date:,done date:261123091501,Text:Ma xac thuc cua ban"


def submit() -> p.SubmitSm:
    return p.SubmitSm(
        source_ton=c.TON_ALPHANUMERIC,
        source="LOA",
        destination_ton=c.TON_INTERNATIONAL,
        destination_npi=c.NPI_ISDN,
        destination="84912345678",
        registered_delivery=c.RECEIPT_FINAL,
        validity="000000000500000R",
        short_message=TEXT,
    )


def operations() -> list[tuple[str, float | None, int, Callable[[], object]]]:
    model = submit()
    template = SubmitTemplate(model)
    submit_raw = encode(model, 77)
    response_raw = encode(p.SubmitSmResp(77, 0, "3C6F2A91"))
    usual = p.DeliverSm(7, source="84912345678", destination="LOA", esm_class=4, short_message=USUAL)
    usual_raw = encode(usual)
    tlvs = ((0x001E, b"3C6F2A91\0"), (0x0427, b"\2"), (0x0423, b"\3\0\0"))
    with_tlvs = encode(p.DeliverSm(7, source="84912345678", destination="LOA", esm_class=4, tlvs=tlvs))
    odd_raw = encode(p.DeliverSm(7, source="84912345678", destination="LOA", esm_class=4, short_message=ODD))
    inbound = encode(p.DeliverSm(7, source="84912345678", destination="8069", short_message=b"TC QC"))
    chunk = response_raw * 100
    session = Session(Side.CLIENT)
    session.state = State.BOUND_TRX
    frames = FrameBuffer()
    return [
        ("build and encode a submit_sm", 5, 1, lambda: encode_submit_sm(submit(), 77)),
        ("encode a submit_sm", 5, 1, lambda: encode_submit_sm(model, 77)),
        ("encode a submit_sm from a template", None, 1, lambda: template.encode(77, "84912345678", TEXT)),
        ("session: number and encode a submit_sm", None, 1, lambda: session.request(model)),
        ("decode a submit_sm", None, 1, lambda: decode(submit_raw)),
        ("decode a submit_sm_resp", 1.5, 1, lambda: decode(response_raw)),
        ("decode and read a receipt, text", 10, 1, lambda: receipt.read(decode(usual_raw))),  # type: ignore[arg-type]
        ("decode and read a receipt, parameters", 10, 1, lambda: receipt.read(decode(with_tlvs))),  # type: ignore[arg-type]
        ("decode and read a receipt, odd text", None, 1, lambda: receipt.read(decode(odd_raw))),  # type: ignore[arg-type]
        ("decode and read an inbound message", None, 1, lambda: content(decode(inbound))),  # type: ignore[arg-type]
        ("encode a deliver_sm", None, 1, lambda: encode(usual)),
        ("encode a deliver_sm_resp", None, 1, lambda: encode(p.DeliverSmResp(7))),
        ("candidate refs of a receipt", None, 1, lambda: candidate_refs("3C6F2A91")),
        ("frame a chunk of 100 responses, each", None, 100, lambda: frames.feed(chunk)),
        ("session: receive 100 responses, each", None, 100, lambda: session.receive(chunk)),
        ("session: receive 100 receipts, each", None, 100, lambda: session.receive(usual_raw * 100)),
    ]


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name, target, each, operation in operations():
        number = max(1, 20_000 // each)
        best = min(timeit.repeat(operation, number=number, repeat=repeats)) / number / each * 1e6
        note = "" if target is None else f"   target {target:g}: {'met' if best <= target else 'MISSED'}"
        print(f"{name:<42}{best:8.2f} µs{note}")


if __name__ == "__main__":
    main()
