"""What a channel asks Zalo beside its messages: quota, whether a stop is over, what became of a message, who it is."""

import asyncio
from collections.abc import Sequence
from typing import Final

from loa.channels.zalo.answers import envelope_of, whole, word
from loa.channels.zalo.client import Base, Client, data_of
from loa.channels.zalo.codes import Surface
from loa.channels.zalo.gate import Gate
from loa.channels.zalo.requests import DETAIL_PATH, DEVELOPMENT, OA_PATH, QUOTA_PATH, STATUS_PATH
from loa.channels.zalo.settings import ZaloSettings
from loa.domain.lifecycle import State
from loa.domain.receipt import Receipt
from loa.ports.channel import Question, Step
from loa.ports.clock import Clock
from loa.wire.wire import Answer

TICK_S: Final = 5.0
QUOTA_EVERY_S: Final = 120.0
RETRY_S: Final = 15.0
TEMPLATES_A_LOOK: Final = 20
QUESTIONS_AT_ONCE: Final = 8
_DELIVERED: Final = 1


def trouble(answer: Answer) -> str:
    """Say in a word why an answer brings nothing, "" when it does."""
    if answer.fault:
        return (
            answer.fault if not answer.written else {"timeout": "response_timeout"}.get(answer.fault, "connection_lost")
        )
    envelope = envelope_of(answer)
    code = None if envelope is None else whole(envelope.get("error"))
    if code:
        return f"zalo_{code}"
    return "" if code == 0 else f"http_{answer.status}" if answer.status >= 300 else "answer_unreadable"


class Looks:
    """Looks at Zalo now and then for one channel. `token` is the one to work with."""

    def __init__(self, client: Client, gate: Gate, clock: Clock) -> None:
        self._client = client
        self._gate = gate
        self._clock = clock
        self._quota_at = 0.0
        self._turn = 0

    async def look(self, token: str, under_way: int) -> None:
        """Look at what is due."""
        for scope in self._gate.stops.due(self._clock.monotonic()):
            await self._look_at_stop(scope, token)
        if self._clock.monotonic() >= self._quota_at:
            good = await self._look_at_quota(token, under_way)
            await self._look_at_templates(token)
            self._quota_at = self._clock.monotonic() + (QUOTA_EVERY_S if good else RETRY_S)
            self._gate.measure()

    async def _look_at_stop(self, scope: str, token: str) -> None:
        of_numbers = scope in (Surface.NUMBER, DEVELOPMENT)
        base, path = (self._client.business, QUOTA_PATH) if of_numbers else (self._client.official, OA_PATH)
        good = not trouble(await self._client.get(base, path, {}, token))
        self._gate.stops.looked(scope, good=good, now=self._clock.now(), monotonic=self._clock.monotonic())

    async def _look_at_quota(self, token: str, under_way: int) -> bool:
        answer = await self._client.get(self._client.business, QUOTA_PATH, {}, token)
        if trouble(answer):
            return False
        data, now, gate = data_of(envelope_of(answer)), self._clock.now(), self._gate
        gate.day.heard(whole(data.get("remainingQuota")), whole(data.get("dailyQuota")), under_way, now)
        daily = whole(data.get("dailyQuotaPromotion"))
        gate.promotions_day.heard(whole(data.get("remainingQuotaPromotion")), daily, 0, now)
        monthly = whole(data.get("monthlyPromotionQuota"))
        gate.promotions.heard(whole(data.get("remainingMonthlyPromotionQuota")), monthly, 0, now)
        return True

    async def _look_at_templates(self, token: str) -> None:
        """Ask for the quotas of a few templates that have one of their own, others in the next look."""
        ids = sorted(self._gate.of_templates)
        start = self._turn % len(ids) if ids else 0
        self._turn = start + TEMPLATES_A_LOOK
        for template_id in (ids[start:] + ids[:start])[:TEMPLATES_A_LOOK]:
            answer = await self._client.get(self._client.business, DETAIL_PATH, {"template_id": template_id}, token)
            purse = self._gate.of_templates.get(template_id)
            if trouble(answer) or purse is None:
                continue
            data = data_of(envelope_of(answer))
            left, daily = whole(data.get("templateRemainingQuota")), whole(data.get("templateDailyQuota"))
            purse.heard(left, daily, 0, self._clock.now())


async def ask(
    client: Client, channel_id: int, token: str, questions: Sequence[Question], clock: Clock
) -> list[Receipt]:
    """Ask what became of messages; only one that is on the phone makes a receipt."""
    room = asyncio.Semaphore(QUESTIONS_AT_ONCE)

    async def one(question: Question) -> Receipt | None:
        async with room:
            answer = await client.get(client.business, STATUS_PATH, {"message_id": question.ref}, token)
        data = data_of(envelope_of(answer))
        if trouble(answer) or whole(data.get("status")) != _DELIVERED:
            return None
        return Receipt(
            channel_id,
            (question.ref,),
            State.DELIVERED,
            "status",
            question.destination,
            "",
            answer.excerpt,
            clock.now(),
            done_at=max(0, whole(data.get("delivery_time")) or 0),
        )

    # Who has a user id was sent no template by number, and only those can be asked for.
    asked = [one(question) for question in questions if question.destination >= 0 and question.ref]
    return [receipt for receipt in await asyncio.gather(*asked) if receipt is not None]


async def try_out(client: Client, settings: ZaloSettings, token: str) -> list[Step]:
    """Try token, Official Account and quota, one after the other."""
    if not token:
        return [Step("token", False, "consent needed; see: loa zalo connect")]
    steps = [Step("token", True, "an access token is there")]
    oa = await client.get(client.official, OA_PATH, {}, token)
    steps.append(_oa_step(client.official, oa, settings))
    quota = await client.get(client.business, QUOTA_PATH, {}, token)
    steps.append(_quota_step(client.business, quota))
    return steps


def _oa_step(base: Base, answer: Answer, settings: ZaloSettings) -> Step:
    wrong = trouble(answer)
    if wrong:
        return Step("oa", False, f"{wrong} at {base.host}")
    data = data_of(envelope_of(answer))
    oa_id, name, package = word(data.get("oa_id")), word(data.get("name")), word(data.get("package_name"))
    if oa_id and oa_id != settings.oa_id:
        return Step(
            "oa", False, f"the consent is of {name} ({oa_id}), not of {settings.oa_id}; consent again, or change oa_id"
        )
    return Step("oa", True, f"{name or settings.oa_id}, package {package or 'unknown'}")


def _quota_step(base: Base, answer: Answer) -> Step:
    wrong = trouble(answer)
    if wrong:
        return Step("quota", False, f"{wrong} at {base.host}")
    data = data_of(envelope_of(answer))
    left, daily = whole(data.get("remainingQuota")), whole(data.get("dailyQuota"))
    return Step("quota", True, f"{left} of {daily} left today" if daily is not None else "no daily quota is told")
