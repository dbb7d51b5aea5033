"""What the figures depend on: the machine, its disk, and who else was using it."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

MIB = 1024 * 1024


def partition_of(directory: Path) -> tuple[str, str]:
    """Device and type of the file system that holds `directory`."""
    best = max(
        (part for part in psutil.disk_partitions(all=True) if directory.is_relative_to(part.mountpoint)),
        key=lambda part: len(part.mountpoint),
        default=None,
    )
    return (best.device, best.fstype) if best else ("", "unknown")


def ext4_journal(device: str) -> str:
    """`yes`, `none`, or `unknown` for what is not an ext4 that the kernel describes."""
    try:
        task = (Path("/sys/fs/ext4") / Path(device).name / "journal_task").read_text()
    except OSError:
        return "unknown"
    return "none" if "none" in task else "yes"


def sync_microseconds(directory: Path, rounds: int = 200) -> float:
    """Median time of one small write and fdatasync in `directory`."""
    path = directory / "sync-probe"
    took: list[float] = []
    with path.open("wb", buffering=0) as file:
        for _ in range(rounds):
            began = time.perf_counter_ns()
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
            took.append((time.perf_counter_ns() - began) / 1000)
    path.unlink()
    return statistics.median(took)


def facts(directory: Path) -> dict[str, object]:
    """The lines that head every report."""
    device, filesystem = partition_of(directory)
    return {
        "cpus": os.cpu_count(),
        "memoryMiB": psutil.virtual_memory().total // MIB,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "filesystem": filesystem,
        "journal": ext4_journal(device),
        "syncMicroseconds": round(sync_microseconds(directory)),
        "loadAverage": [round(value, 2) for value in os.getloadavg()],
    }


def _family(roots: Iterable[int]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for root in roots:
        try:
            process = psutil.Process(root)
            found[root] = process
            found.update({child.pid: child for child in process.children(recursive=True)})
        except psutil.NoSuchProcess:
            continue
    return list(found.values())


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time of these processes, their living children, and those that have ended meanwhile."""
    total = 0.0
    for process in _family(roots):
        try:
            spent = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += sum(spent[:4])
    return total


def peak_rss_mib(roots: Iterable[int]) -> float:
    """The sum of each process's own highest resident size since it started."""
    total = 0
    for process in _family(roots):
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            continue
        peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        total += int(peaks[0]) * 1024 if peaks else 0
    return total / MIB


def memory_mib(roots: Iterable[int]) -> tuple[float, float]:
    """Memory of a family of processes now: what is their own, and what they share with each other, each page once.

    Of a shared page each process counts its part (PSS). Zero where the kernel does not tell us.
    """
    own = shared = 0.0
    for process in _family(roots):
        try:
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except OSError:
            continue
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
        shared += sizes.get("Pss_Shmem", 0)
        own += sizes.get("Pss", 0) - sizes.get("Pss_Shmem", 0)
    return own / 1024, shared / 1024


def own_rss_mib() -> float:
    """Resident size of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def _busy_seconds() -> float:
    spent = psutil.cpu_times()
    return float(sum(spent) - spent.idle - spent.iowait - spent.guest - spent.guest_nice)


@dataclass(slots=True)
class Meter:
    """CPU of the gateway and of its database, and how much of the machine went to programs outside the benchmark."""

    gateway: list[int]
    tools: list[int]
    database: list[int]
    _began: float = 0.0
    _gateway_cpu: float = 0.0
    _database_cpu: float = 0.0
    _tools_cpu: float = 0.0
    _busy: float = 0.0

    def start(self) -> None:
        self._began = time.monotonic()
        self._gateway_cpu = cpu_seconds(self.gateway)
        self._database_cpu = cpu_seconds(self.database)
        self._tools_cpu = self._bench_seconds()
        self._busy = _busy_seconds()

    def _bench_seconds(self) -> float:
        """The SMSC, the receiver, this program, and its ended children (the load driver)."""
        return cpu_seconds(self.tools) + sum(os.times()[:4])

    def stop(self) -> dict[str, float]:
        """Seconds of CPU, memory, and the share of all cores that others took."""
        wall = time.monotonic() - self._began
        gateway = cpu_seconds(self.gateway) - self._gateway_cpu
        database = cpu_seconds(self.database) - self._database_cpu
        tools = self._bench_seconds() - self._tools_cpu
        others = max(0.0, _busy_seconds() - self._busy - gateway - database - tools)
        used = {
            "gatewayCpuSeconds": gateway,
            "peakRssMiB": peak_rss_mib(self.gateway),
            "othersShare": others / (wall * (os.cpu_count() or 1)),
        }
        if self.database:
            own, shared = memory_mib(self.database)
            used |= {"databaseCpuSeconds": database, "databaseMiB": own, "databaseSharedMiB": shared}
        return used
