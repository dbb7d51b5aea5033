"""What would become of a filled form, laid out for people: text, ways, cost, rules, and how it looks on a phone.

Nothing is decided here: the dry run has decided it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from loa.console.send_form import Filled
from loa.domain.rules import Effect, Finding, Verdict
from loa.domain.template import Template
from loa.stages.explain import DestinationFate, Explanation, StepFate
from loa.text import fold, gsm7
from loa.text.compose import compose
from loa.text.refusals import CharacterAt, TextRefused
from loa.text.segments import Encoding, plan

LIVE_DESTINATIONS: Final = 1_000
"""Destinations looked at while somebody types: each look is paid for by the messages beside it."""
NAMED: Final = 50
"""Bad destinations and repeats that are named one by one."""
CHARACTERS: Final = 24
TONES: Final = {Effect.PASS: "good", Effect.DEFER: "warn", Effect.WARN: "warn", Effect.REFUSE: "bad"}

Sentence = Callable[[Finding], str]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text. `forcing`: its characters stand against the plain alphabet."""

    text: str
    forcing: bool


@dataclass(frozen=True, slots=True)
class Forcing:
    """One character that is not plain. `plain`: what it becomes without diacritics, None for nothing that is known."""

    shown: str
    codepoint: str
    count: int
    plain: str | None


@dataclass(frozen=True, slots=True)
class TextLook:
    """What the text becomes. `plain`: the same without diacritics, None where that is no way or no gain."""

    encoding: str
    segment_count: int
    units: int
    limit: int
    pieces: tuple[Piece, ...]
    forcing: tuple[Forcing, ...]
    more_forcing: int
    plain: str | None
    plain_segments: int
    normalised: bool


@dataclass(frozen=True, slots=True)
class Way:
    """Destinations that go the same way. `example`: the first of them."""

    carrier: str
    steps: tuple[StepFate, ...]
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class Bad:
    """A destination that cannot be reached."""

    written: str
    why: str


@dataclass(frozen=True, slots=True)
class Ruled:
    """What one rule says. `said`: its sentence, "" for a rule that has nothing against it."""

    rule: str
    effect: str
    tone: str
    said: str


@dataclass(frozen=True, slots=True)
class Screenful:
    """What a handset shows for one step. `kind`: sms, card or chat. `after_s`: it comes after so long a silence."""

    kind: str
    channel: str
    title: str
    parts: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    after_s: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """All of it. Units: costs in VND, at least by first steps alone, at most when every step is used."""

    accepted: bool
    text: TextLook | None
    ways: tuple[Way, ...]
    count: int
    least: int
    most: int
    bad: tuple[Bad, ...]
    bad_count: int
    repeats: tuple[str, ...]
    repeat_count: int
    rules: tuple[Ruled, ...]
    against: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    wished_at: int
    due_at: int
    expires_at: int
    screens: tuple[Screenful, ...]

    @property
    def stamp(self) -> str:
        """What somebody agreed to who confirmed it."""
        return f"{self.count}:{self.least}:{self.most}"


def lay_out(said: Explanation, filled: Filled, templates: Sequence[Template], sentence: Sentence) -> Look:
    """Lay out what the dry run says of a form."""
    reached = [each for each in said.destinations if each.steps and each.repeats is None]
    ways = _ways(reached)
    bad = [each for each in said.destinations if each.finding is not None]
    repeats = [each for each in said.destinations if each.repeats is not None]
    filler = filled.by_template and not filled.fallback
    return Look(
        accepted=said.would_be_accepted,
        text=None if filler else _text(said, filled),
        ways=ways,
        count=len(reached),
        least=sum(way.count * way.steps[0].price for way in ways),
        most=sum(way.count * sum(step.price for step in way.steps) for way in ways),
        bad=tuple(Bad(each.written, sentence(each.finding)) for each in bad[:NAMED] if each.finding),
        bad_count=len(bad),
        repeats=tuple(each.written for each in repeats[:NAMED]),
        repeat_count=len(repeats),
        rules=tuple(_ruled(each, sentence) for each in said.verdicts if not (filler and each.rule == "segments")),
        against=_against(said, sentence),
        left_out=tuple((name, sentence(each)) for name, found in said.left_out.items() for each in found[:1]),
        wished_at=said.wished_at,
        due_at=said.due_at,
        expires_at=said.expires_at,
        screens=_screens(ways[0].steps if ways else (), said, filled, templates),
    )


def _ways(reached: Iterable[DestinationFate]) -> tuple[Way, ...]:
    grouped: dict[tuple[str, tuple[str, ...]], list[DestinationFate]] = {}
    for each in reached:
        grouped.setdefault((each.carrier, each.route), []).append(each)
    found = [Way(carrier, group[0].steps, len(group), group[0].msisdn) for (carrier, _), group in grouped.items()]
    return tuple(sorted(found, key=lambda way: -way.count))


def _ruled(verdict: Verdict, sentence: Sentence) -> Ruled:
    said = sentence(verdict.finding) if verdict.finding is not None else ""
    return Ruled(verdict.rule, verdict.effect.value, TONES[verdict.effect], said)


def _against(said: Explanation, sentence: Sentence) -> tuple[str, ...]:
    """Say what stands against the whole request: not what rules and destinations say of themselves."""
    ruled = {each.finding.code for each in said.verdicts if each.finding is not None}
    found = [
        each
        for each in (*said.denied, *said.findings)
        if each.code not in ruled and not each.where.startswith("destinations[")
    ]
    return tuple(dict.fromkeys(sentence(each) for each in found))


def _text(said: Explanation, filled: Filled) -> TextLook | None:
    written = filled.fallback if filled.by_template else filled.text
    if said.text is None:
        return _refused_text(written, said.findings)
    fate = said.text
    unicode = fate.encoding == Encoding.UCS2
    plain, segments = _without_diacritics(fate.text) if unicode else (None, 0)
    return TextLook(
        encoding=fate.encoding,
        segment_count=fate.segment_count,
        units=fate.units,
        limit=fate.limit,
        pieces=_pieces(fate.text, lambda character: not gsm7.fits(character)) if unicode else (),
        forcing=_forcing(fate.forcing),
        more_forcing=max(0, len(fate.forcing) - CHARACTERS),
        plain=plain,
        plain_segments=segments,
        normalised=fate.text != written and filled.unicode != "2",
    )


def _refused_text(written: str, findings: Iterable[Finding]) -> TextLook | None:
    """Mark in a text that cannot be sent what it cannot be sent for."""
    found = next((each.values["found"] for each in findings if each.where == "text" and "found" in each.values), ())
    blamed = [each for each in found if isinstance(each, CharacterAt)] if isinstance(found, tuple) else []
    if not blamed:
        return None
    characters = {each.character for each in blamed}
    pieces = _pieces(fold.nfc(written), lambda character: character in characters)
    plain, segments = _without_diacritics(written)
    more = max(0, len(blamed) - CHARACTERS)
    return TextLook("", 0, 0, 0, pieces, _forcing(blamed), more, plain, segments, normalised=False)


def _without_diacritics(text: str) -> tuple[str | None, int]:
    try:
        composed = compose(text, 2)
    except TextRefused:
        return None, 0
    return composed.text, composed.segments


def _pieces(text: str, is_marked: Callable[[str], bool]) -> tuple[Piece, ...]:
    return tuple(Piece("".join(run), marked) for marked, run in groupby(text, key=is_marked))


def _forcing(found: Iterable[CharacterAt]) -> tuple[Forcing, ...]:
    return tuple(
        Forcing(each.shown, each.codepoint, each.count, plain if gsm7.fits(plain) else None)
        for each in list(found)[:CHARACTERS]
        for plain in [fold.fold(each.character)]
    )


# --- on a phone ---


def _screens(
    steps: Sequence[StepFate], said: Explanation, filled: Filled, templates: Sequence[Template]
) -> tuple[Screenful, ...]:
    waits = [None, *(step.silent_after_s for step in steps)]
    found = [
        _screenful(step, wait, said, filled, templates) for step, wait in zip(steps, waits[: len(steps)], strict=True)
    ]
    return tuple(each for each in found if each.parts or each.rows)


def _screenful(
    step: StepFate, after_s: int | None, said: Explanation, filled: Filled, templates: Sequence[Template]
) -> Screenful:
    if step.said.get("form") == "template":
        return _card(step, after_s, templates)
    text = said.text.text if said.text is not None else ""
    if step.said:
        return Screenful("chat", step.channel, step.channel, (filled.text,), (), after_s)
    cut = tuple(each.text for each in plan(text, Encoding(said.text.encoding))) if said.text is not None else ()
    return Screenful("sms", step.channel, filled.sender, cut, (), after_s)


def _card(step: StepFate, after_s: int | None, templates: Sequence[Template]) -> Screenful:
    data: Mapping[str, Any] = step.said.get("data", {})
    template = next((each for each in templates if each.template_id == step.said.get("template")), None)
    body = template.text if template is not None else ""
    for name, value in data.items():
        body = body.replace(f"<{name}>", str(value))
    rows = tuple((str(name), str(value)) for name, value in data.items())
    title = str(step.said.get("name") or step.said.get("template", ""))
    return Screenful("card", step.channel, title, (body,) if body else (), rows, after_s)
