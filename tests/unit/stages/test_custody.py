"""Keeping grants: when a pair is replaced, by whom, what is told of it, and what a channel works with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from random import Random

import pytest
from tests.support.fakes import EPOCH, FakeClock, QuietProbe
from tests.support.grants import HOUR, LIFE, REFRESH_LIFE, Issuer, MemoryGrants, pair

from loa.errors import StorageUnavailable
from loa.observe import metrics
from loa.ports.grants import Failed, Failure, Grant, Tokens
from loa.stages.custody import EVERY_MS, GAP_MS, SPOILT_S, Custodian, Custody, alarms_of, renewal_due_at
from loa.stages.renewal import INTERRUPTED, RIGHT_MS, Charge, Renewer


class World:
    """A ledger with one grant, its server, and custodians of it."""

    def __init__(self) -> None:
        self.ledger, self.clock, self.issuer = MemoryGrants.fresh(), FakeClock(), Issuer()
        self.charge = Charge(3, "oa", self.issuer, {"app_id": "1"})
        self.woken = 0
        self.one = self.another()

    def another(self, ledger: MemoryGrants | None = None) -> Custodian:
        """Make a custodian as another process has it."""
        over = ledger or self.ledger
        made = Custodian(self.charge, over, Renewer(over, self.clock, QuietProbe()), self.clock, Random(1))
        made.wake = self._wake
        return made

    def _wake(self) -> None:
        self.woken += 1

    def fails(self, failure: Failure, reason: str = "because", when: str = "before") -> None:
        """Have requests fail from now on."""

        async def answer(now: str) -> Failed | None:
            return Failed(failure, reason) if now == when else None

        self.issuer.answer = answer

    async def grant(self) -> Grant:
        found = await self.ledger.grant(3)
        assert found is not None
        return found

    async def tick_after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.one.tick()


@pytest.fixture
async def world() -> World:
    world = World()
    await world.ledger.keep(3, pair(1), EPOCH)
    return world


def given(**changes: int) -> Grant:
    return Grant(3, replace(pair(1), **changes), EPOCH, 1)


@pytest.mark.parametrize(
    ("life_ms", "due_ms"), [(LIFE, EVERY_MS), (HOUR, HOUR // 2), (0, 0), (-5, 0), (100 * HOUR, EVERY_MS)]
)
def test_a_pair_is_replaced_at_half_its_life_or_twice_a_day(life_ms: int, due_ms: int) -> None:
    assert renewal_due_at(given(expires_at=EPOCH + life_ms)) == EPOCH + due_ms


@pytest.mark.parametrize(
    ("grant", "after_ms", "alarms"),
    [
        (None, 0, ("no_grant",)),
        (given(), 0, ()),
        (given(), LIFE // 2 + 1, ("access_half_life",)),
        (given(), LIFE, ("access_over", "access_half_life")),
        (given(expires_at=EPOCH + 2 * REFRESH_LIFE), REFRESH_LIFE // 2 + 1, ("refresh_half_life",)),
        (given(expires_at=EPOCH + 2 * REFRESH_LIFE, refresh_expires_at=0), REFRESH_LIFE, ()),
        (replace(given(), consent_needed="x"), 0, ("consent_needed",)),
    ],
)
def test_what_a_person_should_know(grant: Grant | None, after_ms: int, alarms: tuple[str, ...]) -> None:
    assert alarms_of(grant, EPOCH + after_ms) == alarms


async def test_a_fresh_pair_is_worked_with_and_left_alone(world: World) -> None:
    assert world.one.current() == ""
    await world.one.tick()
    assert (world.one.current(), world.woken, world.issuer.sent) == ("access-1", 1, [])
    await world.tick_after(EVERY_MS / 1000 * 0.85)
    assert (world.issuer.sent, world.woken) == ([], 1)


async def test_a_pair_that_is_due_is_replaced_once(world: World) -> None:
    await world.one.tick()
    await world.tick_after(EVERY_MS / 1000)
    assert (world.one.current(), world.woken, world.issuer.sent) == ("access-2", 2, ["refresh-1"])
    assert await world.grant() == Grant(3, pair(2, EPOCH + EVERY_MS), EPOCH + EVERY_MS, 2)
    await world.tick_after(60)
    assert world.issuer.sent == ["refresh-1"]


async def test_it_is_due_by_the_time_that_passed_although_the_clock_was_set_back(world: World) -> None:
    await world.one.tick()
    world.clock.set_by(-86_400)
    await world.tick_after(EVERY_MS / 1000)
    assert world.issuer.sent == ["refresh-1"]


async def test_of_two_processes_one_renews_and_the_other_reads(world: World) -> None:
    other = world.another()
    await asyncio.gather(world.one.tick(), other.tick())
    world.clock.advance(EVERY_MS / 1000)
    world.issuer.held = asyncio.Event()
    first = asyncio.create_task(world.one.tick())
    await world.issuer.asked.wait()
    await other.tick()
    world.issuer.held.set()
    await first
    await other.tick()
    assert (other.current(), world.one.current(), world.issuer.sent) == ("access-2", "access-2", ["refresh-1"])


async def test_a_refused_access_token_is_replaced_at_once(world: World) -> None:
    await world.tick_after(GAP_MS / 1000)
    world.one.spoiled("access-0")
    assert world.one.current() == "access-1", "that was an older one"
    world.one.spoiled("access-1")
    assert world.one.current() == ""
    await world.one.tick()
    assert (world.one.current(), world.woken) == ("access-2", 2)


async def test_one_that_another_process_has_replaced_is_only_read(world: World) -> None:
    other = world.another()
    await world.tick_after(GAP_MS / 1000)
    await other.tick()
    world.one.spoiled("access-1")
    await world.one.tick()
    other.spoiled("access-1")
    await other.tick()
    assert (other.current(), world.issuer.sent) == ("access-2", ["refresh-1"])


async def test_a_server_that_refuses_all_it_gives_is_not_asked_in_a_loop(world: World) -> None:
    await world.one.tick()
    for _ in range(50):
        world.one.spoiled(world.one.current())
        await world.tick_after(5)
    assert len(world.issuer.sent) == 5 * 50 * 1000 // GAP_MS


async def test_a_refused_token_that_cannot_be_replaced_is_tried_again_later(world: World) -> None:
    world.fails(Failure.REFUSED)
    await world.tick_after(GAP_MS / 1000)
    world.one.spoiled("access-1")
    await world.one.tick()
    assert world.one.current() == ""
    await world.tick_after(SPOILT_S)
    assert world.one.current() == "access-1"


@pytest.mark.parametrize("failure", [Failure.UNSENT, Failure.UNSERVED])
async def test_what_was_not_spent_is_sent_again_later_and_later(world: World, failure: Failure) -> None:
    await world.one.tick()
    world.fails(failure)
    await world.tick_after(EVERY_MS / 1000)
    assert (await world.grant()).spent_at is None
    assert await world.ledger.begin_renewal(3, EPOCH, EPOCH) is not None, "the right was given back"
    tries = []
    world.issuer.asked.clear()
    for second in range(0, 600, 5):
        await world.tick_after(5)
        if world.issuer.asked.is_set():
            tries.append(second)
            world.issuer.asked.clear()
    assert 4 <= len(tries) <= 7
    assert world.one.current() == "access-1", "the old one is worked with"
    world.issuer.answer = world.issuer._well
    await world.tick_after(900)
    assert (world.one.current(), world.issuer.double) == ("access-2", 0)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("failure", [Failure.DOUBTFUL, Failure.REFUSED])
async def test_what_may_be_spent_is_never_sent_again_and_the_old_token_is_worked_with(
    world: World, failure: Failure, when: str
) -> None:
    await world.one.tick()
    world.fails(failure, when=when)
    await world.tick_after(EVERY_MS / 1000)
    assert (await world.grant()).consent_needed == f"{failure}: because"
    assert (await world.grant()).tokens == pair(1)
    world.issuer.answer = world.issuer._well
    for _ in range(20):
        await world.tick_after(600)
    assert (world.issuer.sent, world.one.current()) == (["refresh-1"], "access-1")
    assert world.one.alarms() == ("consent_needed", "access_half_life")
    await world.tick_after(LIFE / 1000)
    assert world.one.current() == ""


async def test_a_consent_makes_it_go_on(world: World) -> None:
    await world.one.tick()
    world.fails(Failure.REFUSED)
    await world.tick_after(EVERY_MS / 1000)
    await world.ledger.keep(3, pair(7, world.clock.now()), world.clock.now())
    await world.one.tick()
    assert (world.one.current(), world.one.alarms(), world.woken) == ("access-7", (), 2)


@pytest.mark.parametrize("half", [replace(pair(2), access_token=""), replace(pair(2), refresh_token="")])
async def test_half_a_pair_overwrites_nothing(world: World, half: Tokens) -> None:
    async def renew(*_: object) -> Tokens:
        return half

    await world.one.tick()
    world.issuer.renew = renew  # type: ignore[method-assign]
    await world.tick_after(EVERY_MS / 1000)
    assert (await world.grant()).tokens == pair(1)
    assert (await world.grant()).consent_needed == "doubtful: half_a_pair"


async def test_after_a_crash_between_mark_and_pair_only_a_person_can_go_on(world: World) -> None:
    died = await world.ledger.begin_renewal(3, EPOCH, EPOCH + RIGHT_MS)
    assert died is not None
    await world.ledger.mark_spent(died, EPOCH)
    await world.one.tick()
    assert (await world.grant()).consent_needed == "", "it may still be at it"
    await world.tick_after(RIGHT_MS / 1000)
    assert ((await world.grant()).consent_needed, world.issuer.sent) == (INTERRUPTED, [])
    assert world.one.current() == "access-1"


class Failing:
    """A gate at which the n-th passage of a name fails, once or for a while."""

    def __init__(self, name: str, times: int, *, after: int = 0) -> None:
        self.name, self.times, self.after = name, times, after

    async def __call__(self, name: str) -> None:
        if name != self.name:
            return
        self.after -= 1
        if self.after < 0 and self.times > 0:
            self.times -= 1
            raise StorageUnavailable("away")


async def until(clock: FakeClock, task: "asyncio.Task[None]") -> None:
    while not task.done():
        clock.advance(1)
        await asyncio.sleep(0)


WRITES = ["begin_renewal", "mark_spent", "keep"]


@pytest.mark.parametrize("name", ["write", "written"])
async def test_a_pair_is_kept_however_long_the_ledger_is_away(world: World, name: str) -> None:
    one = world.another(world.ledger.through(Failing(name, 500, after=WRITES.index("keep"))))
    world.clock.advance(EVERY_MS / 1000)
    task = asyncio.create_task(one.tick())
    await until(world.clock, task)
    await task
    assert (one.current(), (await world.grant()).consent_needed, world.issuer.sent) == ("access-2", "", ["refresh-1"])


@pytest.mark.parametrize("name", ["write", "written"])
async def test_where_the_mark_may_not_be_on_disk_nothing_is_sent_and_nobody_is_asked(world: World, name: str) -> None:
    one = world.another(world.ledger.through(Failing(name, 3, after=WRITES.index("mark_spent"))))
    world.clock.advance(EVERY_MS / 1000)
    task = asyncio.create_task(one.tick())
    await until(world.clock, task)
    with pytest.raises(StorageUnavailable):
        await task
    assert (world.issuer.sent, (await world.grant()).spent_at) == ([], None)
    await one.tick()
    assert one.current() == "access-2"


async def test_a_slow_ledger_lets_no_token_leave_late(world: World) -> None:
    async def slow(name: str) -> None:
        if name == "written":
            world.clock.advance(20)

    one = world.another(world.ledger.through(slow))
    world.clock.advance(EVERY_MS / 1000)
    await one.tick()
    assert (world.issuer.sent, (await world.grant()).spent_at) == ([], None)


@pytest.fixture
async def custody(world: World) -> AsyncIterator[Custody]:
    custody = Custody(world.ledger, clock=world.clock, probe=QuietProbe(), chance=Random(1))
    yield custody
    await custody.stop(0)


Soon = Callable[[Callable[[], bool]], Awaitable[None]]


async def soon(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_channels_are_followed_and_one_failure_holds_up_no_other(world: World, custody: Custody) -> None:
    await world.ledger.keep(4, pair(1), EPOCH)
    good = Issuer()
    world.issuer.held = asyncio.Event()
    world.clock.advance(EVERY_MS / 1000)
    custody.follow({3: world.charge, 4: Charge(4, "other", good, {})})
    stuck, other = custody.tokens(3, lambda: None), custody.tokens(4, world._wake)
    assert stuck is not None
    assert other is not None
    assert custody.tokens(5, lambda: None) is None
    await soon(lambda: other.current() == "access-2")
    assert world.issuer.asked.is_set()
    assert stuck.current() == "access-1"
    assert world.woken == 2


async def test_a_channel_that_is_gone_is_not_renewed_and_goes_on_when_it_is_back(
    world: World, custody: Custody
) -> None:
    custody.follow({3: world.charge})
    tokens = custody.tokens(3, world._wake)
    assert tokens is not None
    await soon(lambda: world.woken == 1)
    custody.follow({})
    world.clock.advance(EVERY_MS / 1000)
    custody.look()
    await asyncio.sleep(0)
    assert world.issuer.sent == []
    custody.follow({3: world.charge})
    custody.look()
    await soon(lambda: tokens.current() == "access-2")


async def test_a_stop_waits_for_the_pair_that_is_under_way(world: World, custody: Custody) -> None:
    world.issuer.held = asyncio.Event()
    world.clock.advance(EVERY_MS / 1000)
    custody.follow({3: world.charge})
    await world.issuer.asked.wait()
    stopping = asyncio.create_task(custody.stop(30))
    await asyncio.sleep(0)
    world.issuer.held.set()
    await until(world.clock, stopping)
    assert (await world.grant()).tokens.access_token == "access-2"


async def test_metrics_say_how_grants_stand(world: World, custody: Custody) -> None:
    custody.follow({3: world.charge, 9: Charge(9, "never", world.issuer, {})})
    await soon(lambda: world.one is not None and all(c._read_once for c, _ in custody._kept.values()))
    custody.measure()
    seen = metrics.render().decode()
    assert 'loa_grant_consent_needed{channel="oa"} 0.0' in seen
    assert 'loa_grant_consent_needed{channel="never"} 1.0' in seen
    assert f'loa_grant_access_seconds{{channel="oa"}} {float(LIFE // 1000)}' in seen
    assert 'loa_grant_refresh_seconds{channel="oa"}' in seen
