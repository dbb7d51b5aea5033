"""What would become of a request: every check and every choice, without writing anything.

`submit` writes what is drawn here and `explain` shows it, so the two cannot disagree.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loa.domain import keys, schedule
from loa.domain.msisdn import COUNTRY
from loa.domain.routes import RoutePlan, RouteStep
from loa.domain.rules import Effect, Facts, Finding, Ruleset, Verdict, judge
from loa.domain.traffic import TrafficClass
from loa.errors import CallerError
from loa.ports.channel import Wish
from loa.ports.records import Sender
from loa.stages.destinations import NO_ROUTE, Numbers, Sorted, sort_out
from loa.stages.fitting import Fits, Fitter, Ways
from loa.stages.options import EXT_BYTES_MAX, JSON_DEPTH_MAX, NONE, Options, read_options
from loa.stages.registry import Principal, Registry
from loa.stages.request import SendRequest
from loa.text.compose import Composed, compose
from loa.text.refusals import CharacterAt, TextRefused

CHARACTERS_SHOWN = 12
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class PlanningLimits:
    """The largest of everything in a request."""

    text_chars_max: int = 2_000
    ext_bytes_max: int = EXT_BYTES_MAX
    schedule_days_max: int = schedule.HORIZON_DAYS
    destinations_max: int = 10_000
    json_depth_max: int = JSON_DEPTH_MAX


@dataclass(slots=True)
class Plan:
    """A request as it would be written down, or all that stands against it.

    `denied`: what the key may not do. `findings`: what is wrong. `verdicts`: what each rule said. Neither denied nor
    found means that it would be accepted. Units: times in milliseconds since the epoch.
    """

    request: SendRequest
    now: int
    denied: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    options: Options = NONE
    composed: Composed | None = None
    wished_at: int = 0
    due_at: int = 0
    expires_at: int = 0
    sorted: Sorted = field(default_factory=Sorted)
    fits: Fits = field(default_factory=Fits)
    user_fits: Fits = field(default_factory=Fits)

    @property
    def rich(self) -> dict[int, Mapping[str, Any]]:
        """What steps send instead of the text, by the channel's id; below 0 for what goes to user ids."""
        return {**self.fits.rich, **{-channel_id: rich for channel_id, rich in self.user_fits.rich.items()}}

    @property
    def would_be_accepted(self) -> bool:
        """Whether nothing stands against it."""
        return not self.denied and not self.findings


def _any_url(_: str) -> str:
    return ""


class Planner:
    """Draws plans from the registry's present snapshot and this installation's rules."""

    def __init__(
        self,
        registry: Registry,
        *,
        rules: Ruleset | None = None,
        numbers: Numbers | None = None,
        limits: PlanningLimits | None = None,
        simulated_providers: Iterable[str] = ("sandbox",),
        check_url: Callable[[str], str] = _any_url,
        ways: Ways | None = None,
    ) -> None:
        """Work by these rules. `check_url` says why callbacks may not go to a URL, "" when they may."""
        self._registry = registry
        self.rules = rules or Ruleset()
        self.numbers = numbers or Numbers()
        self.limits = limits or PlanningLimits()
        self._simulated = frozenset(simulated_providers)
        self._check_url = check_url
        self._ways = ways or Ways()

    def draw(self, principal: Principal, request: SendRequest, now: int) -> Plan:
        """Check a request through and through and choose its way."""
        plan = Plan(request, now, wished_at=now)
        _check_permission(plan, principal)
        sender = _find_sender(plan, principal)
        plan.options, wrong = read_options(request.ext, self.limits.ext_bytes_max, self.limits.json_depth_max)
        plan.findings += wrong
        self._check_callback_url(plan)
        _check_fallback(plan, principal)
        self._compose(plan)
        self._read_schedule(plan)
        self._judge(plan, sender)
        self._set_times(plan, principal)
        self._sort_destinations(plan, principal)
        return plan

    def _check_callback_url(self, plan: Plan) -> None:
        url = plan.options.callback_url
        if url and (reason := self._check_url(url)):
            plan.findings.append(Finding("ext.callbackUrl", "url_refused", {"reason": reason}))

    def _compose(self, plan: Plan) -> None:
        text, limit = plan.options.sms_text or plan.request.text, self.limits.text_chars_max
        if len(text) > limit:
            plan.findings.append(Finding("text", "too_long", {"limit": limit}))
            return
        try:
            plan.composed = compose(text, plan.request.use_unicode)
        except TextRefused as refused:
            plan.findings.append(_text_finding(refused))

    def _read_schedule(self, plan: Plan) -> None:
        if not plan.request.scheduled:
            return
        try:
            plan.wished_at = schedule.due_at(plan.request.scheduled, plan.now, self.limits.schedule_days_max)
        except CallerError as error:
            plan.findings.append(Finding("scheduled", error.code, error.fields))

    def _judge(self, plan: Plan, sender: Sender | None) -> None:
        request = plan.request
        facts = Facts(
            traffic_class=request.traffic_class,
            sender=request.sender,
            sender_kind=sender.kind if sender else "brandname",
            text=plan.composed.text if plan.composed else request.text,
            segment_count=plan.composed.segments if plan.composed else 0,
            due_at=plan.wished_at,
        )
        plan.verdicts = judge(facts, self.rules)
        plan.findings += [
            verdict.finding for verdict in plan.verdicts if verdict.effect is Effect.REFUSE and verdict.finding
        ]

    def _set_times(self, plan: Plan, principal: Principal) -> None:
        lifetime_s = principal.view.policies[plan.request.traffic_class].lifetime_s
        hours = self.rules.hours
        plan.due_at = plan.wished_at
        if plan.request.traffic_class is TrafficClass.ADVERTISING and hours is not None:
            plan.due_at = hours.next_open(plan.wished_at)
            closing = hours.closing(plan.due_at)
            plan.expires_at = min(plan.due_at + lifetime_s * 1000, closing) if lifetime_s else closing
        else:
            plan.expires_at = plan.due_at + (lifetime_s or DAY_S) * 1000
        if plan.options.ttl_s:
            plan.expires_at = min(plan.expires_at, plan.due_at + plan.options.ttl_s * 1000)

    def _sort_destinations(self, plan: Plan, principal: Principal) -> None:
        request, wanted = plan.request, self._wanted_channels(plan, principal)
        count, limit = len(request.destinations), self.limits.destinations_max
        if count > limit:
            plan.findings.append(Finding("destinations", "too_many", {"limit": limit, "count": count}))
        if wanted is None or count > limit:
            return
        to_numbers, to_users = self._fitter(plan, users=False), self._fitter(plan, users=True)

        def plan_of(carrier: str) -> RoutePlan:
            return to_numbers.plan(_narrow(self._route(principal, request, carrier), wanted))

        def plan_of_users() -> RoutePlan:
            return to_users.plan(_narrow(self._route(principal, request, ""), wanted))

        plan.sorted = sort_out(
            request.destinations,
            self.numbers,
            plan_of,
            by_carrier=principal.view.by_carrier,
            plan_of_users=plan_of_users,
        )
        wrong = plan.fits.wrong or plan.user_fits.wrong
        plan.findings += wrong
        if plan.sorted.findings and not plan.options.skip_invalid:
            only_countries = all(finding.code == COUNTRY for finding in plan.sorted.findings)
            (plan.denied if only_countries else plan.findings).extend(plan.sorted.findings)
        elif not plan.sorted.plans:
            plan.findings.append(Finding("destinations", "no_destination"))
        if any(finding.code == NO_ROUTE for finding in plan.sorted.findings) and not wrong:
            # Why no step was left is what the caller can cure.
            plan.findings += plan.fits.missing or plan.user_fits.missing

    def _fitter(self, plan: Plan, *, users: bool) -> Fitter:
        request = plan.request
        wish = Wish(request.text, request.traffic_class, request.ext, request.sender, users)
        segments = plan.composed.segments if plan.composed else 0
        fits = plan.fits if not users else plan.user_fits
        return Fitter(self._registry, self._ways, wish, segments, plan.due_at, plan.options.sms, fits)

    def _wanted_channels(self, plan: Plan, principal: Principal) -> tuple[int, ...] | None:
        """Give the channels that `ext.channels` asks for, () for none asked, None when one of them is unknown."""
        if not plan.options.channels:
            return ()
        open_to = self._open_channels(principal, plan.request)
        wanted = []
        for index, name in enumerate(plan.options.channels):
            channel = self._registry.channel_named(name)
            if channel is None or channel.id not in open_to:
                plan.findings.append(Finding(f"ext.channels[{index}]", "channel_unknown"))
            else:
                wanted.append(channel.id)
        return tuple(dict.fromkeys(wanted)) if len(wanted) == len(plan.options.channels) else None

    def _open_channels(self, principal: Principal, request: SendRequest) -> set[int]:
        routes = principal.view.routes
        carriers = {route.carrier for route in routes} | {c for r in routes for s in r.steps for c in s.carriers} | {""}
        return {step.channel_id for carrier in carriers for step in self._route(principal, request, carrier)}

    def _route(self, principal: Principal, request: SendRequest, carrier: str) -> tuple[RouteStep, ...]:
        routed = principal.view.steps(request.sender, request.traffic_class, carrier)
        if principal.key.live:
            return routed
        simulated = [
            channel.id for channel in self._registry.snapshot.channels.values() if channel.provider in self._simulated
        ]
        return tuple(step for step in routed if step.channel_id in simulated) or tuple(map(RouteStep, simulated))


def _check_fallback(plan: Plan, principal: Principal) -> None:
    """Check what the options say of SMS, and of a user id."""
    name, options = plan.options.brandname, plan.options
    if name and name not in principal.view.senders:
        plan.findings.append(Finding("ext.sms.brandname", "sender_unknown", {"sender": name[:40]}))
    elif name and principal.key.senders and name not in principal.key.senders:
        plan.denied.append(Finding("ext.sms.brandname", "sender_not_for_key", {"sender": name}))
    if options.user_id and len(plan.request.destinations) != 1:
        plan.findings.append(Finding("ext.zalo.userId", "one_destination"))


def _check_permission(plan: Plan, principal: Principal) -> None:
    traffic_class = plan.request.traffic_class
    if not keys.may_send(principal.key.permissions, traffic_class):
        plan.denied.append(Finding("type", "send_not_permitted", {"traffic_class": traffic_class.label}))


def _find_sender(plan: Plan, principal: Principal) -> Sender | None:
    name = plan.request.sender
    sender = principal.view.senders.get(name)
    if sender is None:
        plan.findings.append(Finding("from", "sender_unknown", {"sender": name[:40]}))
    elif principal.key.senders and name not in principal.key.senders:
        plan.denied.append(Finding("from", "sender_not_for_key", {"sender": name}))
    return sender


def _narrow(routed: tuple[RouteStep, ...], wanted: tuple[int, ...]) -> tuple[RouteStep, ...]:
    if not wanted:
        return routed
    steps = {step.channel_id: step for step in routed}
    return tuple(steps[channel_id] for channel_id in wanted if channel_id in steps)


def _text_finding(refused: TextRefused) -> Finding:
    values = {
        "characters": ", ".join(_character(each) for each in refused.characters[:CHARACTERS_SHOWN]),
        "count": refused.segments,
        "limit": refused.limit,
        "found": refused.characters,
    }
    return Finding("text", refused.code, values)


def _character(found: CharacterAt) -> str:
    shown = found.codepoint if found.shown == found.codepoint else f"{found.shown} ({found.codepoint})"
    return f"{shown} at {', '.join(map(str, found.positions[:5]))}"
