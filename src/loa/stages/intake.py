"""Intake: the one way in. A request that passes is on disk, whole, before anyone is told so.

Every face - the vendor API, the native one, a console, a file - hands its requests in here. A request that is refused
leaves nothing behind. What a request would become is decided in `planning`, which `explain` shares.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from loa.domain.ids import new_referent_id, new_token
from loa.domain.rules import Finding, denial, refusal
from loa.domain.traffic import TrafficClass
from loa.errors import StorageUnavailable
from loa.observe import metrics
from loa.ports.clock import Clock
from loa.ports.ledger import Submissions
from loa.ports.probe import Point, Probe
from loa.ports.records import Clash, NewSubmission, Repeat, Stored
from loa.stages.explain import Explanation, describe
from loa.stages.planning import Plan, Planner
from loa.stages.registry import Principal, Registry
from loa.stages.request import SendRequest, Taken

OVERLOADED: Final = "overloaded"
"""The detail of the StorageUnavailable that a caller gets when too much is being written at once."""

_accepted = {each: metrics.accepted_total.labels(each.label) for each in TrafficClass}
_submissions_accepted = metrics.submissions_total.labels("accepted")
_submissions_repeated = metrics.submissions_total.labels("repeated")


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """How much may be on its way into the ledger at once; what comes on top is asked to come again."""

    submissions: int = 2_000
    messages: int = 500_000


class Intake:
    """Takes requests in. Any number of callers may wait here at once; the ledger joins their writes."""

    def __init__(
        self,
        ledger: Submissions,
        registry: Registry,
        planner: Planner,
        clock: Clock,
        probe: Probe,
        limits: IntakeLimits | None = None,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._planner = planner
        self._clock = clock
        self._probe = probe
        self._limits = limits or IntakeLimits()
        self._submissions = 0
        self._messages = 0

    async def submit(self, principal: Principal, request: SendRequest, fingerprint: bytes) -> Taken:
        """Take one request: when this returns, it is on disk.

        `fingerprint`: digest of the body, so that the same id with the same body is recognised; b"" where the face
        recognises no repeats.
        Errors: CallerError and Forbidden with findings, StorageError; nothing is stored then.
        """
        plan = self._planner.draw(principal, request, self._clock.now())
        if plan.denied:
            raise denial(*plan.denied)
        if plan.findings:
            raise refusal(*plan.findings)
        return await self._accept(_new_submission(plan, principal, fingerprint))

    def explain(self, principal: Principal, request: SendRequest) -> Explanation:
        """Tell what `submit` would do with a request, and why; writes nothing."""
        plan = self._planner.draw(principal, request, self._clock.now())
        return describe(plan, self._planner, self._registry.snapshot.channels)

    async def _accept(self, submission: NewSubmission) -> Taken:
        count = sum(len(destinations) for _, destinations in submission.plans)
        self._enter(count)
        try:
            self._probe.reached(Point.INTAKE_PARSED)
            result = await self._ledger.accept(submission)
            self._probe.reached(Point.INTAKE_COMMITTED)
        finally:
            self._submissions -= 1
            self._messages -= count
        match result:
            case Stored(reused_request_id=reused):
                _accepted[submission.traffic_class].inc(count)
                _submissions_accepted.inc()
                warnings = ("request_id_reused",) if reused else ()
                return Taken(submission.referent_id, submission.token, False, submission.answer, warnings)
            case Repeat(referent_id=referent_id, token=token, answer=answer):
                _submissions_repeated.inc()
                return Taken(referent_id, token, True, answer)
            case Clash():
                raise refusal(Finding("requestId", "request_id_reused"))
            case _:
                assert_never(result)

    def _enter(self, count: int) -> None:
        """Note that one more submission is on its way. Errors: StorageUnavailable when there are too many."""
        crowded = self._messages > 0 and self._messages + count > self._limits.messages
        if crowded or self._submissions >= self._limits.submissions:
            metrics.ratelimited_total.inc()
            raise StorageUnavailable(OVERLOADED, retry_after_s=1)
        self._submissions += 1
        self._messages += count


def _new_submission(plan: Plan, principal: Principal, fingerprint: bytes) -> NewSubmission:
    assert plan.composed is not None
    request, key = plan.request, principal.key
    referent_id = new_referent_id(plan.now)
    recognised = bool(request.request_id) and key.request_id_mode != "off"
    return NewSubmission(
        tenant_id=key.tenant_id,
        key_id=key.id,
        referent_id=referent_id,
        token=new_token(referent_id),
        request_id=request.request_id,
        fingerprint=fingerprint if recognised else b"",
        strict=key.request_id_mode == "strict",
        sender=request.sender,
        text=plan.composed.text,
        encoding=plan.composed.encoding.value,
        segment_count=plan.composed.segments,
        traffic_class=request.traffic_class,
        accepted_at=plan.now,
        due_at=plan.due_at,
        expires_at=plan.expires_at,
        plans=plan.sorted.plans,
        endpoint_id=key.endpoint_id,
        callback_url=plan.options.callback_url,
        ext=request.ext,
        answer=_answer(plan),
        scheduled=plan.wished_at > plan.now,
        rich=plan.rich,
        brandname=plan.options.brandname,
    )


def _answer(plan: Plan) -> Mapping[str, object]:
    return {"skipped": plan.sorted.bad} if plan.sorted.bad else {}
