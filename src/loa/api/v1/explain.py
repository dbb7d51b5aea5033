"""The dry run: what the send call would do with this very body, and why. Nothing is stored or sent."""

from collections.abc import Iterable
from typing import Any, cast

from fastapi import APIRouter, Request
from pydantic import Field

from loa.api.bodies import read_json_body
from loa.api.problems import place, sentence, speaks
from loa.api.texts import Language
from loa.api.v1.bodies import described
from loa.api.v1.models import ClassName, Instant, Wire
from loa.api.v1.parts import PartsHere, Submitter
from loa.api.vendor.body import read_send
from loa.domain.callback_body import utc_text
from loa.domain.rules import Effect, Finding
from loa.stages.explain import DestinationFate, Explanation, TextFate

router = APIRouter()


class Found(Wire):
    """One thing that stands against a request, or that a person should know."""

    pointer: str
    code: str
    detail: str


class Forcing(Wire):
    """A character that makes the text Unicode. Positions count code points from 0."""

    character: str
    codepoint: str
    positions: list[int]
    count: int


class ExplainedText(Wire):
    """What would become of the text."""

    text: str = Field(description="As it would be sent.")
    encoding: str
    segment_count: int
    units: int = Field(description="Septets, or 16-bit units.")
    limit: int = Field(description="Units that fit one segment of this text.")
    forcing: list[Forcing]


class ExplainedStep(Wire):
    """One step of a route plan."""

    channel: str
    silent_after_s: int | None = Field(description="The next step begins when no receipt came for so long; null never.")
    price: int = Field(description="What the message costs on this step, in VND; 0 when nobody has said.")
    on_delivery: bool = Field(description="It costs nothing unless this step delivers it.")
    content: dict[str, Any] = Field(description="How what it sends was made; empty for the text as it is.")


class ExplainedDestination(Wire):
    """What would become of one destination."""

    index: int
    written: str
    msisdn: str | None = Field(description="Its normal form; null when it has none.")
    carrier: str | None = Field(description="A hint: numbers may have moved.")
    route: list[str] = Field(description="Channels in order; empty when it would not be sent.")
    steps: list[ExplainedStep] = Field(description="The same channels, with time, price and content.")
    repeats: int | None = Field(description="The index of the same number before it.")
    finding: Found | None


class ExplainedVerdict(Wire):
    """What one rule says."""

    rule: str
    effect: Effect
    finding: Found | None


class Explained(Wire):
    """What would become of a request. `denied` is what the send call answers 403 for, `findings` 400."""

    would_be_accepted: bool
    traffic_class: ClassName = Field(validation_alias="class", serialization_alias="class")
    sender: str
    text: ExplainedText | None
    destinations: list[ExplainedDestination]
    verdicts: list[ExplainedVerdict]
    ruleset: str
    wished_at: Instant
    due_at: Instant
    expires_at: Instant
    denied: list[Found]
    findings: list[Found]
    left_out: dict[str, list[Found]] = Field(description="Why channels of the route cannot carry it, by their names.")


@router.post(
    "/explain",
    operation_id="explain",
    tags=["Submissions"],
    openapi_extra=described({"$ref": "#/components/schemas/SendMessage"}),
)
async def explain(parts: PartsHere, caller: Submitter, request: Request) -> Explained:
    """Explain a request to send without sending it: numbers, encoding, segments, route, and every rule's verdict.

    The body is that of the send call, and the verdict is the one the send call would come to.
    """
    body = await read_json_body(request.headers.raw, request.receive, parts.body_limit)
    return _shown(parts.explain(caller, read_send(body)), speaks(request))


def _shown(said: Explanation, language: Language) -> Explained:
    return Explained(
        would_be_accepted=said.would_be_accepted,
        traffic_class=cast("ClassName", said.traffic_class.label),
        sender=said.sender,
        text=_text(said.text),
        destinations=[_destination(each, language) for each in said.destinations],
        verdicts=[
            ExplainedVerdict(rule=each.rule, effect=each.effect, finding=_found(each.finding, language))
            for each in said.verdicts
        ],
        ruleset=said.ruleset,
        wished_at=utc_text(said.wished_at),
        due_at=utc_text(said.due_at),
        expires_at=utc_text(said.expires_at),
        denied=_all_found(said.denied, language),
        findings=_all_found(said.findings, language),
        left_out={name: _all_found(findings, language) for name, findings in said.left_out.items()},
    )


def _text(fate: TextFate | None) -> ExplainedText | None:
    if fate is None:
        return None
    return ExplainedText(
        text=fate.text,
        encoding=fate.encoding,
        segment_count=fate.segment_count,
        units=fate.units,
        limit=fate.limit,
        forcing=[
            Forcing(
                character=each.character, codepoint=each.codepoint, positions=list(each.positions), count=each.count
            )
            for each in fate.forcing
        ],
    )


def _destination(fate: DestinationFate, language: Language) -> ExplainedDestination:
    return ExplainedDestination(
        index=fate.index,
        written=fate.written,
        msisdn=fate.msisdn or None,
        carrier=fate.carrier or None,
        route=list(fate.route),
        steps=[
            ExplainedStep(
                channel=step.channel,
                silent_after_s=step.silent_after_s,
                price=step.price,
                on_delivery=step.on_delivery,
                content=dict(step.said),
            )
            for step in fate.steps
        ],
        repeats=fate.repeats,
        finding=_found(fate.finding, language),
    )


def _all_found(findings: Iterable[Finding], language: Language) -> list[Found]:
    return [shown for each in findings if (shown := _found(each, language)) is not None]


def _found(finding: Finding | None, language: Language) -> Found | None:
    if finding is None:
        return None
    return Found(
        pointer=place(finding.where).get("pointer", ""),
        code=finding.code,
        detail=sentence(finding.code, language, finding.values),
    )
