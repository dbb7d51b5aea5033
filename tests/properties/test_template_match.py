"""Text to template for any pattern and any text."""

from hypothesis import given
from hypothesis import strategies as st

from loa.domain.template import Parameter, Template
from loa.domain.template_match import Ambiguous, Match, NoMatch, match_text
from loa.domain.template_pattern import normalised

LITERALS = st.text("xyz .:", min_size=1, max_size=6).filter(str.strip)
VALUES = st.text("abc1ệ", min_size=1, max_size=6)
SMALL = st.text("ab <>-", max_size=14)


@st.composite
def filled(draw: st.DrawFn) -> tuple[Template, dict[str, str], str]:
    """Make a template, and a text that is its pattern filled in; no value holds a character of a literal."""
    literals = draw(st.lists(LITERALS, min_size=2, max_size=5))
    values = {f"p{at}": draw(VALUES) for at in range(len(literals) - 1)}
    # A literal that could be read inside its neighbours would be another pattern: each begins with its own mark.
    literals = [f"{chr(0x391 + at)}{literal}" for at, literal in enumerate(literals)]
    pattern = literals[0] + "".join(f"<{name}>{literals[at]}" for at, name in enumerate(values, 1))
    text = literals[0] + "".join(f"{value}{literals[at]}" for at, value in enumerate(values.values(), 1))
    parameters = tuple(Parameter(name, max_length=6) for name in values)
    return Template(1, "1", "one", "enabled", parameters=parameters, text=pattern), values, text


@given(filled())
def test_a_filled_pattern_gives_its_values_back(made: tuple[Template, dict[str, str], str]) -> None:
    template, values, text = made
    found = match_text((template,), text)
    assert isinstance(found, Match)
    assert found.data == values


@st.composite
def templates(draw: st.DrawFn) -> Template:
    names = ("a", "b", "c")
    parameters = tuple(
        Parameter(name, kind=draw(st.sampled_from(["", "date"])), required=False, accepts_empty=draw(st.booleans()))
        for name in names
    )
    pieces = draw(st.lists(st.one_of(SMALL, st.sampled_from([f"<{name}>" for name in names])), max_size=5))
    number = draw(st.integers(1, 10**6))
    return Template(1, str(number), f"t{number}", "enabled", parameters=parameters, text="".join(pieces))


@given(templates(), st.one_of(SMALL, st.text()))
def test_what_was_read_fills_the_pattern_to_the_same_text(template: Template, text: str) -> None:
    found = match_text((template,), text)
    if isinstance(found, NoMatch):
        assert found.nearest is None or found.nearest.at <= len(normalised(text))
        return
    assert isinstance(found, Match)
    again = normalised(template.text)
    for name, value in found.data.items():
        again = again.replace(f"<{name}>", value)
    assert normalised(again) == normalised(text)


@given(templates(), templates(), SMALL)
def test_the_order_of_templates_never_matters(one: Template, two: Template, text: str) -> None:
    here, there = match_text((one, two), text), match_text((two, one), text)
    assert type(here) is type(there)
    if isinstance(here, Ambiguous) and isinstance(there, Ambiguous) and one.template_id != two.template_id:
        assert here == there
        assert set(here.names) == {one.name, two.name}


def readings(text: str, parameters: tuple[Parameter, ...], separator: str) -> list[tuple[str, ...]]:
    """Read a text in every way that bounds allow, by trying all, the leftmost first."""
    if len(parameters) == 1:
        return [(text,)] if _fits(parameters[0], text) else []
    return [
        (text[:at], *rest)
        for at in range(len(text))
        if text.startswith(separator, at) and _fits(parameters[0], text[:at])
        for rest in readings(text[at + len(separator) :], parameters[1:], separator)
    ]


def _fits(parameter: Parameter, value: str) -> bool:
    return max(1, parameter.min_length) <= len(value) <= (parameter.max_length or len(value))


BOUNDS = st.tuples(st.integers(0, 3), st.integers(0, 5))


@given(st.text("a-", max_size=12), st.lists(BOUNDS, min_size=2, max_size=3), st.sampled_from(["-", "--", "a-", "-a-"]))
def test_the_leftmost_of_all_readings_is_found(text: str, bounds: list[tuple[int, int]], separator: str) -> None:
    parameters = tuple(
        Parameter(f"p{at}", min_length=least, max_length=most and max(least, most))
        for at, (least, most) in enumerate(bounds)
    )
    pattern = "[" + separator.join(f"<{each.name}>" for each in parameters) + "]"
    found = match_text((Template(1, "1", "one", "enabled", parameters=parameters, text=pattern),), f"[{text}]")
    wanted = readings(text, parameters, separator)
    assert (tuple(found.data.values()) if isinstance(found, Match) else None) == (wanted[0] if wanted else None)
