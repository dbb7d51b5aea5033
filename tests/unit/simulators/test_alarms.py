import asyncio

from tests.unit.simulators.sim_clock import HandClock

from loa.simulators.alarms import Alarms


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_due_at_once_runs_at_once():
    ran = []
    Alarms(HandClock()).after(0, lambda: ran.append(1))
    assert ran == [1]


async def test_alarms_run_in_order_of_time_and_then_of_setting():
    clock, ran = HandClock(), []
    alarms = Alarms(clock)
    for name, seconds in (("late", 3), ("soon", 1), ("also soon", 1), ("middle", 2)):
        alarms.after(seconds, lambda name=name: ran.append(name))
    await settle()
    clock.advance(1)
    await settle()
    assert ran == ["soon", "also soon"]
    clock.advance(5)
    await settle()
    assert ran == ["soon", "also soon", "middle", "late"]


async def test_an_alarm_may_set_another():
    clock, ran = HandClock(), []
    alarms = Alarms(clock)
    alarms.after(1, lambda: alarms.after(1, lambda: ran.append("second")))
    await settle()
    clock.advance(1)
    await settle()
    assert ran == []
    clock.advance(1)
    await settle()
    assert ran == ["second"]


async def test_a_cleared_alarm_never_runs_and_new_ones_do():
    clock, ran = HandClock(), []
    alarms = Alarms(clock)
    alarms.after(1, lambda: ran.append("old"))
    await settle()
    alarms.clear()
    alarms.after(2, lambda: ran.append("new"))
    await settle()
    clock.advance(3)
    await settle()
    assert ran == ["new"]
