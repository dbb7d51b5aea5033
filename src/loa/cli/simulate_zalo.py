"""`loa simulate zalo`."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from loa.cli import process, script_flags
from loa.cli.simulated import ControlPort, Host, Journal, Quiet, announce, document, scripted, show, until_told
from loa.cli.terminal import Terminal
from loa.errors import CallerError
from loa.simulators.zalo.run import ZaloOptions, run_zalo
from loa.simulators.zalo.script import ZaloScript, zalo_script_from
from loa.simulators.zalo.server import ZaloSimulator
from loa.simulators.zalo.watch import ZaloEvent
from loa.simulators.zalo.world import PLAIN_OA, Oa, oas_from

EXAMPLE: Final = """
loa simulate zalo --port 8098 --events-url http://127.0.0.1:8099/zalo
loa simulate zalo --refuse code=-118,surface=number,destination=99 --faults does=silent,surface=number,every=10
loa simulate zalo --script ./script.toml --oas ./oas.toml --port 0 --control-port 0 --json --quiet
"""
ZALO_TEXTS: Final[Mapping[str, str]] = {
    "token_life_s": "Life of an access token; 90000 without.",
    "refresh_life_s": "Life of a refresh token.",
    "code_life_s": "Life of the code of a consent.",
    "refuse_consent": "Let people refuse their consent.",
    "consent_oa": "The Official Account that consents, where an app has several.",
    "oauth_failure_status": "HTTP status of a failure of the token endpoint; 200 without.",
    "refuse": "Refuse requests, as in code=-118,surface=number,destination=99; repeat it.",
    "faults": "Spoil answers, as in does=silent,surface=number,first=2; repeat it.",
    "off_zalo": "A number, or the end of numbers, without Zalo (-118); repeat it.",
    "answer_delay_s": "Wait before every answer.",
    "template_rate_per_s": "Refuse templates to numbers that come faster (-32).",
    "oa_rate_per_minute": "Calls of one app a minute (-32); 4000 without.",
    "require_tracking_id": "Refuse templates without tracking_id; on without.",
    "day_starts": "The hour in Vietnam at which the night ends.",
    "day_ends": "The hour at which it begins.",
    "night_tags": "Tags of templates that do not go at night; 2 and 3 without; repeat it.",
    "promotions_per_day": "Advertising to one user a day.",
    "promotions_per_month": "Advertising to one user a month.",
    "asset_life_s": "Life of an upload.",
    "uploads_per_month": "Uploads a month.",
    "journey_life_s": "Life of a journey token.",
    "undelivered": "Messages that never reach their phone, as in share=0.1; repeat it.",
    "delivery_delay_s": "From the answer to the phone.",
    "early_events": "Let messages reach the phone before the answer.",
    "seen": "Let users see what reached them, and post that.",
    "seen_delay_s": "From the phone to the eye.",
    "echoes": "Post what the Official Account sends as events, too.",
    "events_url": "Where events are posted; none without.",
    "ticked": "Post only events of this name; repeat it.",
    "event_faults": "Spoil events, as in does=duplicate,event=user_received_message,every=2; repeat it.",
    "event_order": "The order of events that are due together.",
    "event_window": "Events on their way at a time.",
    "event_timeout_s": "An event must be taken within; 2 without.",
    "event_retries_s": "Wait before each try again; repeat it; 30, 300, 900, 1800 and 3600 without.",
    "event_pace": "Multiplies these waits, as in 0.01.",
}


@scripted(ZaloScript, ZALO_TEXTS)
def zalo(
    terminal: Terminal,
    *,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="Port for all three hosts; 0 for a free one.")] = 8098,
    control_port: ControlPort = None,
    script_file: Annotated[
        Path | None,
        typer.Option("--script", metavar="FILE", help="The script, JSON or TOML; flags go before.", show_default=False),
    ] = None,
    oas_file: Annotated[
        Path | None,
        typer.Option("--oas", metavar="FILE", help="Official Accounts as JSON or TOML, below oas.", show_default=False),
    ] = None,
    journal: Journal = None,
    quiet: Quiet = False,
    **script: Any,
) -> int:
    """Run a Zalo platform: sign-in, Official Account and template messages, uploads, signed events.

    REFUSED, FAULT and WHEN name requests by surface (number, user, consultation, upload, reading, oauth), template,
    share, and by number: first=3, every=10, numbers=1+4+9, after=100, destination=99 (the number ends so). With --json
    the first line tells where it listens, the keys of the first Official Account and a fresh pair of tokens.
    """

    def on_event(event: ZaloEvent) -> None:
        if not quiet:
            show(terminal, type(event).__name__.lower(), asdict(event))

    def on_ready(simulator: ZaloSimulator, control: int | None) -> None:
        ready = _ready(simulator, control)
        text = f"Zalo listens at {simulator.url}, control port: {ready['control'] or 'none'}"
        announce(terminal, ready, text)
        if not terminal.as_json:
            terminal.note(_paste(ready))

    values = document(script_file) if script_file else {}
    options = ZaloOptions(
        host=host,
        port=port,
        control_port=control_port,
        script=zalo_script_from({**values, **script_flags.values(ZaloScript, script)}),
        oas=_oas(oas_file),
        journal=journal,
        on_event=on_event,
        on_ready=on_ready,
    )
    return process.run(until_told(run_zalo(options)))


def _oas(path: Path | None) -> tuple[Oa, ...]:
    if path is None:
        return (PLAIN_OA,)
    found = oas_from(document(path).get("oas"))
    if not found:
        raise CallerError("file", f"{path} describes no Official Account: write at least one below oas")
    return found


def _ready(simulator: ZaloSimulator, control: int | None) -> dict[str, Any]:
    told = simulator.oa().told
    access, refresh = simulator.tokens()
    return {
        "zalo": simulator.url,
        "control": None if control is None else f"127.0.0.1:{control}",
        "appId": told.app_id,
        "appSecret": told.app_secret,
        "oaId": told.oa_id,
        "oaSecretKey": told.secret_key,
        "accessToken": access,
        "refreshToken": refresh,
    }


def _paste(ready: Mapping[str, Any]) -> str:
    """Write how a channel is made that sends here."""
    urls = " ".join(f"--set {name}_url={ready['zalo']}" for name in ("oauth", "openapi", "business"))
    keys = (("app_id", "appId"), ("app_secret", "appSecret"), ("oa_id", "oaId"), ("oa_secret_key", "oaSecretKey"))
    settings = " ".join(f"--set {name}={ready[member]}" for name, member in keys)
    token = f"echo {ready['refreshToken']} | loa zalo token zalo --refresh-token-file -"
    return f"  loa channels add zalo zalo {settings} {urls}\n  {token}"
