"""What may leave now: stops, hours and quotas looked at before a message goes, and taught by every answer.

A message that may not go is deferred alone and without network; where its route plan has another step, that is its way.
"""

from typing import Final

from loa.channels.zalo import opening
from loa.channels.zalo.answers import STOPPED, Said, outcome_of
from loa.channels.zalo.codes import OA_QUOTA, OWN_QUOTA, PROMOTION_QUOTA, Meaning, Surface, meaning_of
from loa.channels.zalo.quota import Purse
from loa.channels.zalo.requests import DEVELOPMENT, Letter
from loa.channels.zalo.settings import ZaloSettings
from loa.channels.zalo.stops import Stops
from loa.domain.outcome import Accepted, Deferred, Outcome
from loa.domain.template import Tag
from loa.observe import metrics
from loa.observe.log import get_logger
from loa.ports.channel import Attempt
from loa.ports.clock import Clock

STOP_SPREAD_MS: Final = 10_000
TEMPLATES_MAX: Final = 1_000
CODE_MAX: Final = 100_000

log = get_logger("loa.channels.zalo")


def scope_of(letter: Letter) -> str:
    """Name what a letter is stopped with: trials by themselves, else all of its surface."""
    return DEVELOPMENT if letter.trial else letter.surface


class Gate:
    """The state of one Official Account, as far as this process has seen it."""

    def __init__(self, name: str, settings: ZaloSettings, clock: Clock) -> None:
        self._name = name
        self._settings = settings
        self._clock = clock
        self.stops = Stops()
        self.day = Purse()
        self.promotions_day = Purse()
        self.promotions = Purse(opening.next_month)
        self.of_templates: dict[str, Purse] = {}

    # before a message goes

    def closed(self, attempt: Attempt, letter: Letter, now: int) -> Deferred | None:
        """Say until when a message has to wait, None when it may go."""
        held = self._held(attempt, letter, now)
        if held is not None:
            return held
        if letter.surface is not Surface.CONSULTATION:
            opens = opening.opening(self._settings.hours(letter.tag), now)
            if opens:
                return _alone(attempt, "outside_hours", opens)
        until = max((self._waits_until(purse, attempt, now) for purse in self._purses(letter)), default=0)
        return _alone(attempt, "quota_forecast", until) if until else None

    def goes(self, attempt: Attempt, letter: Letter, now: int) -> None:
        """Note that a message goes."""
        self.stops.trying(scope_of(letter))
        for purse in self._purses(letter):
            purse.spend(attempt.traffic_class, now)

    def _held(self, attempt: Attempt, letter: Letter, now: int) -> Deferred | None:
        stop = self.stops.held(scope_of(letter))
        if stop is None:
            return None
        until = max(stop.until, now + 1000) + opening.jitter(attempt.message_id, STOP_SPREAD_MS)
        return Deferred(f"{STOPPED}:{stop.code}", until, counts=False, alone=True)

    def _waits_until(self, purse: Purse, attempt: Attempt, now: int) -> int:
        floor = self._settings.otp_reserve if purse is self.day else 0
        return purse.waits_until(attempt.traffic_class, floor, now)

    def _purses(self, letter: Letter) -> list[Purse]:
        """Give the quotas that a message draws on."""
        if letter.surface is not Surface.NUMBER or letter.trial or letter.beyond:
            return []
        purses = [self.day]
        if letter.tag == Tag.PROMOTION:
            purses += [self.promotions_day, self.promotions]
        if letter.own_quota:
            purses.append(self._of_template(letter.template_id))
        return purses

    def _of_template(self, template_id: str) -> Purse:
        purse = self.of_templates.get(template_id)
        if purse is None:
            if len(self.of_templates) >= TEMPLATES_MAX:
                self.of_templates.clear()
            purse = self.of_templates[template_id] = Purse()
        return purse

    # what an answer teaches

    def learn(self, said: Said, attempt: Attempt, letter: Letter, refs: tuple[str, ...], under_way: int) -> Outcome:
        """Give the outcome of an answered attempt, with what it says of the account taken to heart."""
        now, scope = self._clock.now(), scope_of(letter)
        outcome = outcome_of(said, attempt, letter, self._settings, refs, now)
        if isinstance(outcome, Accepted):
            if said.left is not None and letter.surface is Surface.NUMBER and not letter.trial:
                self.day.heard(said.left, said.daily, under_way, now)
            if self.stops.accepted(scope):
                log.info("an Official Account is at work again", channel=self._name, kind=scope)
                self.measure()
            return outcome
        self.stops.tried(scope)
        if not said.code or said.status >= 500:
            return outcome
        self._heed(said.code, letter, now)
        held = self._held(attempt, letter, now) if self._is_stop(said.code, letter) else None
        return held or outcome

    @staticmethod
    def _is_stop(code: int, letter: Letter) -> bool:
        return meaning_of(letter.surface, code) in (Meaning.SET_UP, Meaning.MONEY)

    def _heed(self, code: int, letter: Letter, now: int) -> None:
        if self._is_stop(code, letter):
            self.stop(scope_of(letter), str(code))
        elif meaning_of(letter.surface, code) is Meaning.UNKNOWN:
            shown = str(code) if abs(code) < CODE_MAX else "other"
            metrics.provider_unknown_codes_total.labels("zalo", shown).inc()
            log.warning("Zalo answered with a code that no table knows", channel=self._name, code=shown)
        if letter.surface is not Surface.NUMBER:
            return
        if code in OWN_QUOTA:
            self._of_template(letter.template_id).close(opening.next_day(now))
        elif code in OA_QUOTA:
            self.day.close(opening.next_day(now))
        elif code in PROMOTION_QUOTA:
            self.promotions.close(opening.next_month(now))

    def stop(self, scope: str, code: str) -> None:
        """Stop a scope, and say so once."""
        if self.stops.trip(scope, code, self._clock.now(), self._clock.monotonic()):
            log.warning(
                "an Official Account is stopped until its set-up or money is seen to",
                channel=self._name,
                code=code,
                kind=scope,
            )
            self.measure()

    # what people are told

    def measure(self) -> None:
        """Set the metrics of stops and quota."""
        metrics.channel_stopped.labels(self._name).set(1 if self.stops.scopes else 0)
        if self.day.left >= 0:
            metrics.quota_left.labels(self._name).set(self.day.left)

    def forget(self) -> None:
        """Take the metrics back."""
        metrics.channel_stopped.remove(self._name)
        metrics.quota_left.remove(self._name)

    def notes(self) -> list[str]:
        """Say what people should know, stops first."""
        said = [f"stopped ({scope}): {stop.code}" for scope, stop in sorted(self.stops.scopes.items())]
        if self.day.left >= 0:
            said.append(f"{self.day.left} of {max(self.day.daily, self.day.left)} left today")
        return said


def _alone(attempt: Attempt, reason: str, until: int) -> Deferred:
    return Deferred(reason, until + opening.jitter(attempt.message_id), counts=False, alone=True)
