"""The scenarios: what is sent, with what switched on, and which targets Loa set itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """`messages` is the size at scale 1; `seconds` replaces it where only time counts.

    With `unlinked` the SMSC is away at first: what is accepted stays, as a backlog or to measure accepting alone.
    """

    name: str
    shows: str
    destinations: int = 1
    connections: int = 32
    messages: int = 0
    seconds: int = 0
    receipts: bool = True
    unlinked: bool = False
    backlog: int = 0
    kannel: bool = True


SCENARIOS = (
    Scenario("accept", "accepting alone, the SMSC away", connections=64, seconds=8, receipts=False, unlinked=True),
    Scenario("e2e-1", "1 destination a request, receipts and callbacks", messages=60_000),
    Scenario("e2e-1-quiet", "1 destination a request, no receipts", messages=100_000, receipts=False),
    Scenario("e2e-100", "100 destinations a request, receipts and callbacks", 100, 16, 150_000),
    Scenario("e2e-100-quiet", "100 destinations a request, no receipts", 100, 16, 300_000, receipts=False),
    Scenario("e2e-1000", "1,000 destinations a request, receipts and callbacks", 1000, 8, 150_000),
    Scenario(
        "otp",
        "one-time codes, 20 a second, beside an advertising backlog",
        destinations=1000,
        connections=8,
        seconds=20,
        backlog=500_000,
        unlinked=True,
        kannel=False,
    ),
)


@dataclass(frozen=True, slots=True)
class Target:
    """`figure` of `scenario` should be at least (or, with `at_most`, at most) `value`."""

    scenario: str
    figure: str
    value: float
    unit: str
    at_most: bool = False


TARGETS = (
    Target("accept", "acceptPerSecond", 10_000, "requests/s"),
    Target("e2e-1", "ratioToKannel", 1.5, "times Kannel, pair by pair"),
    Target("e2e-100", "messagesPerSecond", 20_000, "messages/s"),
    Target("otp", "queueMsP99", 500, "ms queue time, p99", at_most=True),
    Target("*", "peakRssMiB", 200, "MiB, highest of all runs", at_most=True),
)


def chosen(names: list[str]) -> list[Scenario]:
    """The scenarios of these names, in the order of the table; no name means all."""
    return [scenario for scenario in SCENARIOS if not names or scenario.name in names]
