"""The short memory of names: one look-up at a time, remembered for a moment, refused when the guard says so."""

import asyncio
import socket

import pytest

from loa.notify.guard import BlockedAddress, GuardedResolver, GuardPolicy
from loa.notify.names import NAMES_MAX, REMEMBER_S, Names


class NameServer:
    """Answers when it is let, with what it is told, and remembers who asked."""

    def __init__(self, answer=("8.8.8.8",)):
        self.answer = answer
        self.asked = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.time = 0.0

    async def lookup(self, host, port):
        self.asked.append(host)
        await self.may_answer.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def names(self):
        return Names(GuardedResolver(GuardPolicy(), self.lookup), lambda: self.time)


async def test_a_name_is_asked_for_again_when_the_moment_is_over():
    server = NameServer()
    names = server.names()
    for time, asked in ((0, 1), (REMEMBER_S - 0.1, 1), (REMEMBER_S, 2), (REMEMBER_S + 1, 2)):
        server.time = time
        assert await names.addresses("a.example", 443) == ["8.8.8.8"]
        assert len(server.asked) == asked
    await names.addresses("b.example", 443)
    assert server.asked[2:] == ["b.example"]


async def test_many_who_wait_for_a_name_cost_one_look_up_and_one_who_gives_up_harms_no_other():
    server = NameServer()
    server.may_answer.clear()
    names = server.names()
    waiting = [asyncio.ensure_future(names.addresses("a.example", 443)) for _ in range(20)]
    while not server.asked:
        await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    server.may_answer.set()
    assert await asyncio.gather(*waiting[1:]) == [["8.8.8.8"]] * 19
    assert waiting[0].cancelled()
    assert server.asked == ["a.example"]


@pytest.mark.parametrize(
    ("answer", "error"), [(socket.gaierror(-2, "unknown"), socket.gaierror), (("10.0.0.1",), BlockedAddress)]
)
async def test_a_failure_reaches_all_who_wait_and_is_not_remembered(answer, error):
    server = NameServer(answer)
    names = server.names()
    results = await asyncio.gather(*(names.addresses("a.example", 443) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [error] * 3
    server.answer = ("8.8.8.8",)
    assert await names.addresses("a.example", 443) == ["8.8.8.8"]
    assert len(server.asked) == 2


async def test_a_failure_that_nobody_waits_for_is_quiet():
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context["message"]))
    server = NameServer(socket.gaierror(-2, "unknown"))
    server.may_answer.clear()
    names = server.names()
    waiting = asyncio.ensure_future(names.addresses("a.example", 443))
    while not server.asked:
        await asyncio.sleep(0)
    waiting.cancel()
    server.may_answer.set()
    while names._asking:
        await asyncio.sleep(0)
    await asyncio.wait((waiting,))
    assert complaints == []


async def test_closing_ends_the_wait_for_a_name():
    server = NameServer()
    server.may_answer.clear()
    names = server.names()
    waiting = asyncio.ensure_future(names.addresses("a.example", 443))
    while not server.asked:
        await asyncio.sleep(0)
    await names.close()
    with pytest.raises(OSError, match="given up"):
        await waiting


async def test_names_without_end_do_not_fill_the_memory():
    names = NameServer().names()
    for number in range(NAMES_MAX + 10):
        await names.addresses(f"{number}.example", 443)
    assert len(names._known) <= NAMES_MAX
