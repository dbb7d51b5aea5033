"""Runs one scenario once against one gateway and returns its figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway import Gateway, Setup, wait_until
from loa_under_test import LOA
from machine import Meter
from scenarios import Scenario
from tools import BenchError, Json, Tool, finish_load, read_log, run_load, start_load
from zalo import Platform

STALLED_AFTER = 20.0
LINK_PATIENCE = 90.0
FIRST_NUMBER = 84_900_000_000
BACKLOG_NUMBER = 84_910_000_000
OTP_NUMBER = 84_930_000_000
OTP_PREFIX = "8493"
WARM_UP_NUMBER = 84_960_000_000
WARM_UP = 1_000
OTP_RATE = 20


class Bed:
    """A started gateway between a fresh SMSC and a fresh receiver."""

    def __init__(self, gateway: Gateway, scenario: Scenario, directory: Path) -> None:
        self.gateway = gateway
        self.scenario = scenario
        self.directory = directory
        self.smsc = Tool("smsc", receipts=scenario.receipts, watch=OTP_PREFIX, open=not scenario.unlinked)
        self.receiver = Tool("receiver")
        self.zalo: Platform | None = None

    def __enter__(self) -> Bed:
        self.directory.mkdir(parents=True)
        scenario = self.scenario
        if scenario.zalo:
            self.zalo = Platform.start(LOA, self.directory, refuse=scenario.refused)
        setup = Setup(
            directory=self.directory,
            smsc_port=self.smsc.port,
            receiver_port=self.receiver.port,
            receipts=scenario.receipts,
            any_hour=bool(scenario.backlog),
            zalo=self.zalo,
        )
        try:
            self.gateway.start(setup)
            if not scenario.unlinked:
                self.wait_for_link()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.gateway.stop()
        self.smsc.stop()
        self.receiver.stop()
        if self.zalo is not None:
            self.zalo.stop()

    def wait_for_link(self) -> None:
        wait_until(lambda: self.smsc.ask()["bound"] > 0, f"{self.gateway.name} to bind to the SMSC", LINK_PATIENCE)

    def load(self, destinations: int, **values: Any) -> Json:
        return {"connections": self.scenario.connections, **self.gateway.load_options(destinations), **values}

    def meter(self) -> Meter:
        tools = [self.smsc.process.pid, self.receiver.process.pid]
        tools += [self.zalo.process.pid] if self.zalo else []
        meter = Meter(self.gateway.pids(), tools, self.gateway.database_pids())
        meter.start()
        return meter

    def submitted(self) -> int:
        """How many messages were handed over."""
        return self.zalo.accepted() if self.zalo is not None else int(self.smsc.ask()["distinct"])

    def finished(self) -> int:
        """How many different destinations have come to the end of their way."""
        found: int = self.receiver.ask()["distinct"] if self.scenario.receipts else self.smsc.ask()["distinct"]
        return found

    def wait_for(self, expected: int) -> bool:
        """Wait for the last message; False when nothing moved for a while before that."""
        return wait_for_progress(self.finished, expected)


def wait_for_progress(count: Callable[[], int], expected: int) -> bool:
    """Poll `count` until it reaches `expected` or has stood still for `STALLED_AFTER` seconds."""
    best, moved = -1, time.monotonic()
    while True:
        reached = count()
        if reached >= expected:
            return True
        if reached > best:
            best, moved = reached, time.monotonic()
        if time.monotonic() - moved > STALLED_AFTER:
            return False
        time.sleep(0.05)


def measure(gateway: Gateway, scenario: Scenario, directory: Path, scale: float) -> dict[str, Any]:
    """One run. Units: rates a second, latencies in ms, CPU in seconds a 1,000 messages, memory in MiB."""
    with Bed(gateway, scenario, directory) as bed:
        if scenario.backlog:
            return _measure_otp(bed, scale)
        if scenario.refused:
            return _measure_refused(bed, scale)
        if scenario.unlinked:
            return _measure_accept(bed, scale)
        return _measure_way(bed, scale)


def _accept_figures(load: Json) -> dict[str, Any]:
    if not load["accepted"]:
        raise BenchError(f"the gateway accepted nothing: {load['statuses']}")
    latency = load["latencyUs"]
    return {
        "acceptPerSecond": load["requestsPerSecond"],
        "acceptMsP50": latency["p50"] / 1000,
        "acceptMsP95": latency["p95"] / 1000,
        "acceptMsP99": latency["p99"] / 1000,
        "acceptMsMax": latency["max"] / 1000,
        "refused": load["refused"],
        "failed": load["failed"] + load["broken"] + load["unanswered"],
        "load": load,
    }


def _use_figures(meter: Meter, messages: int) -> dict[str, float]:
    used = meter.stop()
    spent = {"cpuSecondsPer1000": used.pop("gatewayCpuSeconds") / messages * 1000}
    if "databaseCpuSeconds" in used:
        spent["databaseCpuSecondsPer1000"] = used.pop("databaseCpuSeconds") / messages * 1000
    return spent | used


def _measure_accept(bed: Bed, scale: float) -> dict[str, Any]:
    scenario = bed.scenario
    run_load(**bed.load(1, requests=WARM_UP, first_number=WARM_UP_NUMBER))
    meter = bed.meter()
    seconds = max(2, round(scenario.seconds * scale))
    load = run_load(**bed.load(scenario.destinations, duration=seconds, first_number=FIRST_NUMBER))
    return {**_accept_figures(load), **_use_figures(meter, load["messages"])}


def _measure_way(bed: Bed, scale: float) -> dict[str, Any]:
    scenario = bed.scenario
    run_load(**bed.load(1, requests=WARM_UP, first_number=WARM_UP_NUMBER))
    if not bed.wait_for(WARM_UP):
        raise BenchError(f"the warm-up never came through: {bed.smsc.ask()} {bed.receiver.ask()}")
    bed.smsc.ask("reset")
    bed.receiver.ask("reset")
    before = bed.zalo.accepted() if bed.zalo is not None else 0
    meter = bed.meter()
    requests = max(scenario.connections, round(scenario.messages * scale / scenario.destinations))
    load = run_load(**bed.load(scenario.destinations, requests=requests, first_number=FIRST_NUMBER))
    figures = _accept_figures(load)
    complete = bed.wait_for(load["messages"])
    figures.update(_use_figures(meter, load["messages"]))
    smsc, receiver = bed.smsc.ask(), bed.receiver.ask()
    last = receiver["lastNs"] if scenario.receipts else smsc["lastSubmitNs"]
    seconds = max(1, last - load["firstNs"]) / 1e9
    return {
        **figures,
        "messagesPerSecond": bed.finished() / seconds,
        "seconds": seconds,
        "complete": complete,
        "missingSubmits": load["messages"] - (bed.submitted() - before),
        "duplicateSubmits": smsc["duplicates"],
        "missingCallbacks": load["messages"] - receiver["distinct"] if scenario.receipts else 0,
        "repeatedCallbacks": receiver["repeats"],
        "smsc": smsc,
        "receiver": receiver,
    }


def _measure_otp(bed: Bed, scale: float) -> dict[str, Any]:
    """Queue the advertising while the SMSC is away, let it come back, and send codes until the backlog is gone."""
    scenario = bed.scenario
    backlog = round(scenario.backlog * scale)
    meter = bed.meter()
    queued = run_load(
        **bed.load(
            scenario.destinations, requests=backlog // scenario.destinations, first_number=BACKLOG_NUMBER, type=1
        )
    )
    bed.smsc.ask("open")
    bed.wait_for_link()
    wait_until(lambda: bed.smsc.ask()["submits"] > 0, "the backlog to start moving", 60)
    log = bed.directory / "otp.log"
    otp = start_load(**bed.load(1, duration=scenario.seconds, rate=OTP_RATE, first_number=OTP_NUMBER, type=2, log=log))
    while otp.poll() is None and bed.smsc.ask()["submits"] < queued["messages"]:
        time.sleep(0.1)
    left = queued["messages"] - bed.smsc.ask()["submits"]
    otp.terminate()
    load = finish_load(otp)
    wait_for_progress(lambda: len(bed.smsc.arrivals()), load["accepted"])
    figures = {**_accept_figures(load), **_use_figures(meter, queued["messages"] + load["messages"])}
    smsc = bed.smsc.ask()
    return {
        **figures,
        **_queue_times(read_log(log), bed.smsc.arrivals()),
        "backlog": queued["messages"],
        "backlogLeft": max(0, left),
        "queuedPerSecond": queued["messagesPerSecond"],
        "duplicateSubmits": smsc["duplicates"],
        "smsc": smsc,
    }


def _measure_refused(bed: Bed, scale: float) -> dict[str, Any]:
    """Send codes that Zalo refuses, and time their arrival at the SMSC."""
    log = bed.directory / "otp.log"
    seconds = max(3, round(bed.scenario.seconds * scale))
    meter = bed.meter()
    load = run_load(**bed.load(1, duration=seconds, rate=OTP_RATE, first_number=OTP_NUMBER, type=2, log=log))
    wait_for_progress(lambda: len(bed.smsc.arrivals()), load["accepted"])
    figures = {**_accept_figures(load), **_use_figures(meter, load["messages"])}
    return {
        **figures,
        **_queue_times(read_log(log), bed.smsc.arrivals()),
        "duplicateSubmits": bed.smsc.ask()["duplicates"],
    }


def _queue_times(sent: list[tuple[int, int, int, int]], arrived: dict[int, int]) -> dict[str, float]:
    """From the answer to the arrival (0 when it arrived before the answer was read), and from the request."""
    accepted = [(number, due, answered) for number, due, answered, status in sent if 200 <= status < 300]
    met = [(arrived[number], due, answered) for number, due, answered in accepted if number in arrived]
    if not met:
        raise BenchError("no one-time code reached the SMSC")
    queue = sorted(max(0, at - answered) / 1e6 for at, _, answered in met)
    whole = sorted((at - due) / 1e6 for at, due, _ in met)
    return {
        "codes": len(accepted),
        "missingSubmits": len(accepted) - len(met),
        "queueMsP50": percentile(queue, 0.50),
        "queueMsP99": percentile(queue, 0.99),
        "queueMsMax": queue[-1],
        "wholeMsP50": percentile(whole, 0.50),
        "wholeMsP99": percentile(whole, 0.99),
    }


def percentile(ordered: list[float], share: float) -> float:
    """The nearest-rank percentile of an ordered list."""
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, int(rank) - 1)]
