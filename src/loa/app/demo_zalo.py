"""What a demo shows of Zalo: the simulated platform, and the channel, grant and templates that reach it."""

from pathlib import Path
from typing import Any, Final

from loa.channels.zalo.provider import PROVIDER
from loa.domain.template import ENABLED, Parameter, Tag, Template
from loa.ports.clock import Clock
from loa.ports.grants import Tokens
from loa.ports.ledger import Ledger
from loa.simulators.zalo.script import ZaloScript
from loa.simulators.zalo.server import ZaloSimulator
from loa.simulators.zalo.watch import Watcher
from loa.simulators.zalo.world import PLAIN_OA
from loa.simulators.zalo.world import Template as SimulatedTemplate

ZALO_CHANNEL: Final = "demo-zalo"
JOURNAL: Final = "demo-zalo.jsonl"
NOT_ON_ZALO: Final = "97"
"""Numbers that end so have no Zalo; the other endings mean something to the simulated SMSC."""
EXAMPLE_TEXT: Final = "Mã xác thực của bạn là 482913."
DAY_MS: Final = 86_400_000
GRANT_MS: Final = 90 * DAY_MS
ANSWER_S: Final = 5.0
"""How long the demo's channels wait for an answer: less than real ones, so that people see what follows."""

SCRIPT: Final = ZaloScript(off_zalo=(NOT_ON_ZALO,), delivery_delay_s=1.0)
"""Delivered after a second, so that people see the state before."""


def zalo_simulator(data_dir: Path, host: str, port: int, on_event: Watcher) -> ZaloSimulator:
    """Make the platform; its journal lets a second start know the tokens of the first."""
    return ZaloSimulator(host, port, script=SCRIPT, oas=(PLAIN_OA,), journal=data_dir / JOURNAL, on_event=on_event)


def example(sender: str, number: str) -> dict[str, Any]:
    """Give the members of a request that reaches Zalo: a plain text that is a registered template."""
    return {
        "destinations": [number],
        "from": sender,
        "text": EXAMPLE_TEXT,
        "scheduled": "",
        "requestId": "",
        "useUnicode": 1,
        "type": 2,
        "ext": {},
    }


def channel_settings(zalo: ZaloSimulator) -> dict[str, Any]:
    """Give the settings of the demo's channel."""
    oa = zalo.oa().told
    urls = dict.fromkeys(("oauth_url", "openapi_url", "business_url"), zalo.url)
    own = {"app_id": oa.app_id, "app_secret": oa.app_secret, "oa_secret_key": oa.secret_key, "oa_id": oa.oa_id}
    return dict(PROVIDER.check({**own, **urls, "response_timeout_s": ANSWER_S}))


async def furnish_zalo(ledger: Ledger, clock: Clock, channel_id: int, zalo: ZaloSimulator) -> None:
    """Give a channel its grant and its templates with their texts. Errors: StorageError."""
    now = clock.now()
    if await ledger.grant(channel_id) is None:
        await ledger.keep(channel_id, Tokens(*zalo.tokens(), now + DAY_MS, now + GRANT_MS), now)
    described = zalo.oa().told.templates
    await ledger.put_templates(channel_id, [_template(channel_id, each) for each in described], now)
    for each in described:
        await ledger.set_template_text(channel_id, each.template_id, each.text)


def _template(channel_id: int, told: SimulatedTemplate) -> Template:
    """Know a template before it is read from the platform, so that the first message finds it."""
    return Template(
        channel_id=channel_id,
        template_id=told.template_id,
        name=told.name,
        status=ENABLED,
        tag=Tag(told.tag),
        price=told.price,
        price_to_user=told.price_to_user,
        timeout_ms=told.timeout_ms,
        parameters=tuple(Parameter(each.name, each.kind) for each in told.parameters),
    )
