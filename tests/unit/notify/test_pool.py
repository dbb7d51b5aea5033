"""Connections: who shares them, how many there are, how long they live, and what ends them."""

import asyncio
import ssl

import pytest

from loa.notify.dial import Dialer
from loa.notify.guard import GuardedResolver, GuardPolicy
from loa.notify.names import Names
from loa.wire.pool import KEEP_ALIVE_S, Pool


def at(receiver, path="/hook", host="127.0.0.2", scheme="http"):
    return f"{scheme}://{host}:{receiver.port}{path}"


def open_wires(send):
    return send.sender()._pool._wires


async def until(holds):
    """Let the loop turn until something holds; the time limit of the test is the only clock."""
    while not holds():
        await asyncio.sleep(0)


def hold(release, reached=None):
    """Answer only when released; say when a request is there."""

    async def answer(writer):
        if reached is not None:
            reached.release()
        await release.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    return answer


async def test_paths_of_one_host_share_a_connection_and_other_hosts_and_ports_do_not(receive, send):
    one, two = await receive(), await receive()
    for url in (at(one), at(one, "/other?x=1"), at(two), at(one, host="a.example"), at(one, host="b.example")):
        assert (await send(url)).ok
    assert (one.connections, two.connections) == (3, 1)
    assert one.requests[1][0] == "POST /other?x=1 HTTP/1.1"
    assert [headers["host"] for _, headers, _ in one.requests[2:]] == [
        f"{name}.example:{one.port}" for name in ("a", "b")
    ]


async def test_an_idle_connection_is_not_used_after_its_time(receive, send):
    receiver = await receive()
    for later, connections in ((0, 1), (KEEP_ALIVE_S - 1, 1), (2 * KEEP_ALIVE_S, 2)):
        send.later = later
        assert (await send(at(receiver))).ok
        assert receiver.connections == connections


async def test_an_idle_connection_is_closed_after_its_time_without_any_post(receive, send):
    receiver = await receive()
    assert (await send(at(receiver))).ok
    send.later = KEEP_ALIVE_S
    await receiver.ended.acquire()
    await until(lambda: not open_wires(send))
    assert send.sender()._pool._sweeper is None


async def test_an_idle_connection_that_the_receiver_closed_is_never_used(receive, send):
    async def answer_and_leave(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return False

    receiver = await receive(answer_and_leave)
    for connections in (1, 2):
        assert (await send(at(receiver))).ok
        await until(lambda: not open_wires(send))
        assert receiver.connections == connections


async def test_no_more_than_the_limit_are_open_and_all_have_their_turn(receive, send):
    send.concurrency = 3
    most = [0]

    async def answer(writer):
        most[0] = max(most[0], len(open_wires(send)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    receivers = [await receive(answer), await receive(answer)]
    results = await asyncio.gather(*(send(at(receivers[number % 2])) for number in range(50)))
    assert all(result.ok for result in results)
    assert most[0] <= 3
    assert sum(len(receiver.requests) for receiver in receivers) == 50


async def test_where_there_is_no_room_the_longest_idle_connection_goes(receive, send):
    send.concurrency = 2
    first, second, third = await receive(), await receive(), await receive()
    for receiver in (first, second, third):
        assert (await send(at(receiver))).ok
    await first.ended.acquire()
    await until(lambda: len(open_wires(send)) == 2)
    assert (await send(at(second))).ok
    assert second.connections == 1


async def test_who_finds_no_room_in_time_is_a_time_out_and_was_never_sent(receive, send):
    send.concurrency, send.timeout_s = 1, 0.1
    receiver = await receive(hold(asyncio.Event()))
    results = await asyncio.gather(send(at(receiver)), send(at(receiver)))
    assert [result.error for result in results] == ["timeout", "timeout"]
    assert len(receiver.requests) == 1


async def test_a_time_out_on_a_kept_connection_costs_it_and_gives_its_room_back(receive, send):
    send.concurrency, send.timeout_s = 1, 0.1
    silent = asyncio.Event()
    silent.set()
    receiver = await receive(hold(silent))
    assert (await send(at(receiver))).ok
    silent.clear()
    assert (await send(at(receiver))).error == "timeout"
    silent.set()
    assert (await send(at(receiver))).ok
    assert receiver.connections == 2


async def test_a_post_that_is_given_up_leaves_nothing_behind(receive, send):
    send.concurrency = 1
    reached, release = asyncio.Semaphore(0), asyncio.Event()
    receiver = await receive(hold(release, reached))
    task = asyncio.ensure_future(send(at(receiver)))
    await reached.acquire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not open_wires(send))
    release.set()
    assert (await send(at(receiver))).ok
    assert receiver.connections == 2


async def test_closing_ends_what_is_under_way_and_what_comes_after(receive, send):
    reached = asyncio.Semaphore(0)
    receiver = await receive(hold(asyncio.Event(), reached))
    task = asyncio.ensure_future(send(at(receiver)))
    await reached.acquire()
    await send.sender().close()
    assert (await task).error == "connect"
    assert (await send(at(receiver))).error == "connect"
    assert not open_wires(send)
    assert len(receiver.requests) == 1


async def test_closing_ends_the_wait_for_a_name(receive, send):
    receiver, asked = await receive(), asyncio.Semaphore(0)

    async def never(host, port):
        asked.release()
        await asyncio.Event().wait()

    send.lookup = never
    task = asyncio.ensure_future(send(at(receiver, host="slow.example")))
    await asked.acquire()
    await send.sender().close()
    assert (await task).error == "resolve"
    assert receiver.connections == 0


async def test_a_connection_that_is_made_while_all_is_closed_is_dropped(receive, send):
    receiver = await receive()
    pool = send.sender()._pool
    dial = pool._dialer.dial

    async def dial_and_close(origin, left):
        closing = asyncio.ensure_future(pool.close())
        while pool._emptied is None:
            await asyncio.sleep(0)
        await closing
        return await dial(origin, left)

    pool._dialer.dial = dial_and_close
    assert (await send(at(receiver))).error == "connect"
    await until(lambda: not open_wires(send))
    assert receiver.requests == []


async def test_an_address_where_nobody_listens_is_passed_over_for_the_next(receive, send):
    send.allow = ("127.0.0.0/8",)
    send.addresses = ("127.0.0.3", "127.0.0.2")
    receiver = await receive()
    assert (await send(at(receiver, host="two.example"))).ok


async def test_the_time_of_a_post_covers_connecting(receive, send, authority):
    silent = await receive()
    send.timeout_s, send.tls = 0.1, authority.client()
    result = await send(at(silent, host="silent.example", scheme="https"))
    assert (result.status, result.error) == (0, "timeout")


async def test_a_secured_connection_is_kept_too(receive, send, authority, tmp_path):
    receiver = await receive(tls=authority.server(tmp_path, "hook.example", days_left=5))
    send.tls = authority.client()
    for _ in range(3):
        assert (await send(at(receiver, host="hook.example", scheme="https"))).ok
    assert receiver.connections == 1


async def test_a_receiver_without_tls_is_refused_as_such(receive, send, authority):
    receiver = await receive()

    async def speak_plainly(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Plain\r\n\r\n")
        return False

    receiver._exchange = speak_plainly
    send.tls = authority.client()
    result = await send(at(receiver, host="plain.example", scheme="https"))
    assert (result.status, result.error) == (0, "tls")


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("::1",), ("10.0.0.1", "8.8.8.8"), ("fe80::1%eth0",)])
@pytest.mark.parametrize("host", ["fooled.example", ""])
async def test_the_last_look_at_an_address_stops_a_client_whose_resolver_was_fooled(addresses, host):
    async def lookup(host, port):
        return addresses

    every = GuardPolicy.of(allow_http=True, ports=(), allow_networks=("0.0.0.0/0", "::/0"))
    names = Names(GuardedResolver(every, lookup), lambda: 0.0)
    dialer = Dialer(names, GuardPolicy(), ssl.create_default_context(), patience_s=1)
    pool = Pool(dialer, limit=1, timeout_s=5, now=asyncio.get_running_loop().time)
    assert await dialer.dial(pool.origin(host or addresses[0], 9, tls=False), print) == "blocked_address"
    await pool.close()


async def test_an_address_that_does_not_answer_gives_way_and_is_tried_last_from_then_on(
    receive, send, authority, tmp_path
):
    receiver = await receive(tls=authority.server(tmp_path, "two.example", days_left=5))
    silent = await receive(host="127.0.0.3", port=receiver.port)
    send.timeout_s, send.tls, send.allow = 2.0, authority.client(), ("127.0.0.0/8",)
    send.addresses = ("127.0.0.3", "127.0.0.2")
    for later, connections in ((0, 1), (KEEP_ALIVE_S, 2)):
        send.later = later
        assert (await send(at(receiver, host="two.example", scheme="https"))).ok
        assert (silent.connections, receiver.connections) == (1, connections)
