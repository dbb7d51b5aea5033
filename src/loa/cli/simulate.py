"""`loa simulate`."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from loa.cli import process, script_flags, simulate_zalo
from loa.cli.command import command, group
from loa.cli.simulated import ControlPort, Host, Journal, Quiet, announce, scripted, show, until_told
from loa.cli.terminal import Terminal
from loa.cli.values import read_text
from loa.simulators.receiver.run import ReceiverOptions, run_receiver
from loa.simulators.receiver.script import ReceiverScript, receiver_script_from
from loa.simulators.receiver.server import CallbackReceiver, Delivery
from loa.simulators.smsc.events import SmscEvent
from loa.simulators.smsc.run import SmscOptions, run_smsc
from loa.simulators.smsc.script import Script, script_from
from loa.simulators.smsc.server import SmscSimulator

app = group("Stand-ins for the outside world, on this machine; docs/reference/simulators.md explains the scripts.")

SMSC_TEXTS: Final[Mapping[str, str]] = {
    "system_id": "The only account that is let in; any without.",
    "password": "Its password; any without.",
    "max_binds": "Binds of one account at a time.",
    "bind_delay_s": "Wait before the answer to a bind.",
    "refuse_binds": "Refuse binds, as in status=0x0E,first=2.",
    "refuse": "Refuse submits, as in status=0x0B,destination=99; repeat it.",
    "throttle": "Throttle these submits, as in every=10.",
    "throttle_status": "Status of a throttled submit; 0x58 without.",
    "rate_per_s": "Throttle what comes faster than so many a second.",
    "response_delay_s": "Wait before a response.",
    "delayed": "Which responses are delayed; all without.",
    "drop_response": "Accept these and never answer.",
    "duplicate_response": "Answer these twice.",
    "garbage": "Write garbage before the response to these.",
    "garbage_bytes": "The garbage.",
    "congestion": "congestion_state in every response.",
    "reset": "Cut the connection at these submits.",
    "reset_point": "When it is cut.",
    "unbind": "Send unbind after the response to these.",
    "answer_enquire_link": "Answer enquire_link; on without.",
    "enquire_s": "Send enquire_link this often.",
    "slice_octets": "Write so many octets at a time.",
    "fortunes": "How a share of messages ends, as in stat=UNDELIV,share=0.1; repeat it.",
    "enroute_first": "Send an ENROUTE receipt before the final one.",
    "receipt_delay_s": "From the response to the receipt.",
    "early_receipts": "Send receipts before the response.",
    "receipt_copies": "Send each receipt so often.",
    "receipt_gap_s": "Between the copies of one receipt.",
    "receipt_order": "The order of receipts that are due together.",
    "receipt_parts": "Which parts of a long message are reported.",
    "receipt_link": "Over which link a receipt goes.",
    "receipt_window": "Receipts on their way over one link.",
    "receipt_timeout_s": "After this an unanswered receipt is sent again.",
    "receipt_retry_s": "After this a receipt answered 'later' is sent again.",
    "response_id": "How the id is spelled in the response.",
    "receipt_id": "How the id is spelled in the receipt.",
    "receipt_form": "What a receipt consists of.",
    "receipt_pdu": "How a receipt travels.",
    "receipt_flagged": "Mark receipts as such in esm_class; on without.",
    "receipt_dates": "Digits of the dates in a receipt.",
    "receipt_error": "The word after err:.",
    "echo_reference": "Return user_message_reference.",
}
RECEIVER_TEXTS: Final[Mapping[str, str]] = {
    "status": "The answer; 200 without.",
    "statuses": "Answers for the first requests in turn; repeat it.",
    "retry_after": "The Retry-After header.",
    "redirect_to": "The Location header.",
    "body_octets": "Length of the answer's body.",
    "delay_s": "Wait before the answer.",
    "delayed": "Which requests are delayed; all without.",
    "hang": "Never answer these.",
    "close": "Cut the connection of these.",
}


@command(
    app,
    "smsc",
    example="""
loa simulate smsc --port 2775 --receipt-delay-s 2
loa simulate smsc --throttle every=10 --drop-response first=3 --fortunes stat=UNDELIV,share=0.05
loa simulate smsc --port 0 --control-port 0 --json --quiet
""",
    settings=False,
)
@scripted(Script, SMSC_TEXTS)
def smsc(
    terminal: Terminal,
    *,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="Port for SMPP; 0 for a free one.")] = 2775,
    control_port: ControlPort = None,
    journal: Journal = None,
    quiet: Quiet = False,
    **script: Any,
) -> int:
    """Run an SMSC that speaks SMPP 3.4 and plays a script.

    A PICK says which ones are meant: first=3, every=10, numbers=1+4+9, after=100, destination=99 (the number ends so),
    joined by commas, or all. With --json the first line tells where it listens.
    """

    def on_event(event: SmscEvent) -> None:
        if not quiet:
            show(terminal, type(event).__name__.lower(), asdict(event))

    def on_ready(simulator: SmscSimulator, control: int | None) -> None:
        ready = {"smsc": f"{host}:{simulator.port}", "control": None if control is None else f"127.0.0.1:{control}"}
        announce(terminal, ready, f"SMSC listens at {ready['smsc']}, control port: {ready['control'] or 'none'}")

    options = SmscOptions(
        host=host,
        port=port,
        control_port=control_port,
        script=script_from(script_flags.values(Script, script)),
        journal=journal,
        on_event=on_event,
        on_ready=on_ready,
    )
    return process.run(until_told(run_smsc(options)))


@command(
    app,
    "receiver",
    example="""
loa simulate receiver --port 8099 --secret-file ./secret
loa simulate receiver --statuses 503 --statuses 500 --delay-s 2
""",
    settings=False,
)
@scripted(ReceiverScript, RECEIVER_TEXTS)
def receiver(
    terminal: Terminal,
    *,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="Port; 0 for a free one.")] = 8099,
    secret_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The secret that signs, to check it.", show_default=False)
    ] = None,
    journal: Journal = None,
    quiet: Quiet = False,
    **script: Any,
) -> int:
    """Run a callback receiver that takes any request, checks its signature and answers by a script."""

    def on_event(delivery: Delivery) -> None:
        if not quiet:
            show(terminal, "callback", _delivery(delivery))

    def on_ready(running: CallbackReceiver) -> None:
        announce(terminal, {"receiver": running.url}, f"callback receiver listens at {running.url}")

    options = ReceiverOptions(
        host=host,
        port=port,
        script=receiver_script_from(script_flags.values(ReceiverScript, script)),
        secret=read_text(str(secret_file)).strip() if secret_file else "",
        journal=journal,
        on_event=on_event,
        on_ready=on_ready,
    )
    return process.run(until_told(run_receiver(options)))


command(app, "zalo", example=simulate_zalo.EXAMPLE, settings=False)(simulate_zalo.zalo)


def _delivery(delivery: Delivery) -> dict[str, Any]:
    try:
        body = json.loads(delivery.body)
    except ValueError:
        body = delivery.body.decode("utf-8", "replace")
    return {
        "at": delivery.at,
        "id": delivery.callback_id,
        "method": delivery.method,
        "path": delivery.path,
        "verdict": delivery.verdict,
        "status": delivery.status,
        "body": body,
    }
