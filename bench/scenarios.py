"""The scenarios: what is sent, with what switched on, and which targets Loa set itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """`messages` is the size at scale 1; `seconds` replaces it where only time counts.

    With `unlinked` the SMSC is away at first: what is accepted stays, as a backlog or to measure accepting alone.
    `zalo`: over the simulated Zalo first; with `refused` it refuses every number, so that all go on to SMS.
    `workers`: also with several API workers. `standard`: runs where none is named. `lives`: the ledger alone, see
    ledger_life.py; there `connections` are the callers, and `variants` what is compared. `console`: the console's
    pages.
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
    workers: bool = False
    standard: bool = True
    lives: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    history: int = 0
    console: bool = False
    zalo: bool = False
    refused: bool = False


BOTH = ("sent", "delivered")
HISTORY = 5_000_000

SCENARIOS = (
    Scenario("accept", "accepting alone, the SMSC away", connections=64, seconds=4, receipts=False, unlinked=True),
    Scenario("e2e-1", "1 destination a request, receipts and callbacks", messages=20_000, workers=True),
    Scenario("e2e-1-quiet", "1 destination a request, no receipts", messages=50_000, receipts=False, standard=False),
    Scenario("e2e-100", "100 destinations a request, receipts and callbacks", 100, 16, 40_000, workers=True),
    Scenario(
        "e2e-100-quiet", "100 destinations a request, no receipts", 100, 16, 150_000, receipts=False, standard=False
    ),
    Scenario("e2e-1000", "1,000 destinations a request, receipts and callbacks", 1000, 8, 60_000, standard=False),
    Scenario(
        "otp",
        "one-time codes, 20 a second, beside an advertising backlog",
        destinations=1000,
        connections=8,
        seconds=20,
        backlog=150_000,
        unlinked=True,
        kannel=False,
    ),
    Scenario(
        "zalo-100",
        "templates over Zalo, 100 destinations a request, receipts and callbacks",
        100,
        16,
        20_000,
        kannel=False,
        zalo=True,
    ),
    Scenario(
        "zalo-1",
        "templates over Zalo, 1 destination a request, receipts and callbacks",
        messages=10_000,
        kannel=False,
        zalo=True,
        standard=False,
    ),
    Scenario(
        "zalo-refused",
        "one-time codes, 20 a second, that Zalo refuses and SMS carries",
        connections=8,
        seconds=15,
        kannel=False,
        zalo=True,
        refused=True,
    ),
    Scenario(
        "life-100",
        "the ledger alone, 100 destinations a request",
        destinations=100,
        connections=16,
        messages=100_000,
        lives=BOTH,
        variants=("sqlite", "postgres", "postgres-2"),
    ),
    Scenario(
        "life-1",
        "the ledger alone, 1 destination a request",
        connections=64,
        messages=20_000,
        lives=BOTH,
        variants=("sqlite", "postgres", "postgres-2"),
    ),
    Scenario(
        "life-100-history",
        f"the ledger alone, empty and with {HISTORY:,} finished messages",
        destinations=100,
        connections=16,
        messages=100_000,
        lives=("delivered",),
        variants=("sqlite", "sqlite-history", "postgres", "postgres-history"),
        history=HISTORY,
    ),
    Scenario(
        "life-100-held",
        "the ledger alone, beside a snapshot that somebody holds open",
        destinations=100,
        connections=16,
        messages=100_000,
        lives=("sent",),
        variants=("postgres", "postgres-held"),
    ),
    Scenario(
        "console",
        f"the console's pages beside {HISTORY:,} finished messages, and the live tail at 500 events a second",
        kannel=False,
        standard=False,
        console=True,
        history=HISTORY,
        variants=("sqlite", "sqlite-history", "sqlite-tail", "postgres", "postgres-history", "postgres-tail"),
    ),
)


@dataclass(frozen=True, slots=True)
class Target:
    """`figure` of `scenario` in `variant` should be at least (or, with `at_most`, at most) `value`.

    With `beside` it is the ratio of the figure in `variant` to that in `beside`, pair by pair.
    """

    scenario: str
    variant: str
    figure: str
    value: float
    unit: str
    at_most: bool = False
    beside: str = ""


TARGETS = (
    Target("accept", "loa-sqlite", "acceptPerSecond", 10_000, "requests/s"),
    Target("e2e-1", "loa-sqlite", "messagesPerSecond", 1.5, "times Kannel, pair by pair", beside="kannel"),
    Target("e2e-100", "loa-sqlite", "messagesPerSecond", 20_000, "messages/s"),
    Target("otp", "loa-sqlite", "queueMsP99", 500, "ms queue time, p99", at_most=True),
    Target("otp", "loa-postgres", "queueMsP99", 500, "ms queue time, p99", at_most=True),
    Target("zalo-100", "loa-sqlite", "messagesPerSecond", 2_000, "template messages/s"),
    Target("zalo-100", "loa-postgres", "messagesPerSecond", 2_000, "template messages/s"),
    Target("zalo-refused", "loa-sqlite", "queueMsP99", 1_000, "ms from the answer to the SMSC, p99", at_most=True),
    Target("zalo-refused", "loa-postgres", "queueMsP99", 1_000, "ms from the answer to the SMSC, p99", at_most=True),
    Target("*", "loa-sqlite", "peakRssMiB", 200, "MiB, highest of all runs", at_most=True),
    Target("e2e-1", "loa-postgres", "messagesPerSecond", 2_500, "messages/s"),
    Target("e2e-1", "loa-postgres-workers", "messagesPerSecond", 2_500, "messages/s"),
    Target("e2e-100", "loa-postgres", "messagesPerSecond", 8_000, "messages/s"),
    Target("e2e-100", "loa-postgres-workers", "messagesPerSecond", 8_000, "messages/s"),
    Target("life-100", "postgres", "sentPerSecond", 40_000, "messages/s, accepted to sent"),
    Target("life-100", "postgres-2", "sentPerSecond", 40_000, "messages/s, accepted to sent"),
    Target("life-100", "postgres", "deliveredPerSecond", 40_000, "messages/s, accepted to delivered"),
    Target("life-100", "postgres-2", "deliveredPerSecond", 40_000, "messages/s, accepted to delivered"),
    Target("life-100", "postgres", "rssGrowthMiB", 8, "MiB from half-way to the end", at_most=True),
    Target(
        "life-100-history",
        "postgres",
        "deliveredPerSecond",
        1.3,
        "times the cost on an empty ledger, pair by pair",
        at_most=True,
        beside="postgres-history",
    ),
    Target(
        "life-100-history",
        "sqlite",
        "deliveredPerSecond",
        1.3,
        "times the cost on an empty ledger, pair by pair",
        at_most=True,
        beside="sqlite-history",
    ),
    Target(
        "life-100-held",
        "postgres-held",
        "claimsPerSecond",
        0.5,
        "times the claims without a held snapshot, pair by pair",
        beside="postgres",
    ),
)


def chosen(names: list[str]) -> list[Scenario]:
    """The scenarios of these names, in the order of the table; no name means the standard ones, `all` every one."""
    if "all" in names:
        return list(SCENARIOS)
    return [scenario for scenario in SCENARIOS if (scenario.name in names if names else scenario.standard)]
