"""Running something as a process without special rights would, also where the tests run as root."""

import asyncio
import ctypes
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_VERSION_3 = 0x20080522
_OVERRIDES = (1 << 1) | (1 << 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: the rights by which root passes over rights of files."""


def _drop_overrides() -> None:
    """Take from this thread the right to pass over the rights of files. Linux keeps such rights by thread."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, data) == 0
    data[0] &= ~_OVERRIDES
    data[1] &= ~_OVERRIDES
    assert libc.capset(header, data) == 0


def without_special_rights(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on a thread and loop of its own; give what it gives or raise what it raises."""
    with ThreadPoolExecutor(1, initializer=_drop_overrides) as pool:
        return pool.submit(lambda: asyncio.run(make())).result()
