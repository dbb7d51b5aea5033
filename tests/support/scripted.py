"""A channel and a callback sender that do what a test says, and let it wait for what was asked of them."""

import asyncio
from collections.abc import Callable, Sequence

from loa.domain.outcome import Outcome
from loa.ports.callback_sender import Posting, PostResult
from loa.ports.channel import Attempt, ChannelStatus, Settle, Step


class ScriptedChannel:
    """Takes attempts into a window and settles them when told to. `poison`: destinations at which it always raises."""

    def __init__(self, window: int = 10) -> None:
        self.window = window
        self.paced: int | None = None
        self.taken: list[Attempt] = []
        self.open: dict[int, tuple[Attempt, Settle]] = {}
        self.raises: Exception | None = None
        self.poison: set[int] = set()
        self._moved = asyncio.Condition()

    async def start(self) -> None:
        pass

    def free(self, now: int) -> int:
        room = self.window - len(self.open)
        return room if self.paced is None else min(room, self.paced)

    def submit(self, attempts: Sequence[Attempt], settle: Settle) -> None:
        if self.raises is not None:
            error, self.raises = self.raises, None
            raise error
        for attempt in attempts:
            if attempt.destination in self.poison:
                raise ValueError("a bug of the provider")
            self.taken.append(attempt)
            self.open[attempt.message_id] = (attempt, settle)
        asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def until_taken(self, count: int) -> list[Attempt]:
        async with asyncio.timeout(10), self._moved:
            await self._moved.wait_for(lambda: len(self.taken) >= count)
        return self.taken

    def settle(self, message_id: int, outcome: Outcome) -> None:
        attempt, settle = self.open.pop(message_id)
        settle(attempt, outcome)

    def status(self) -> ChannelStatus:
        return ChannelStatus(True, 1, 1, len(self.open), self.window)

    async def test(self) -> list[Step]:
        return []

    async def stop(self, drain_s: float) -> None:
        pass


class ScriptedSender:
    """Answers posts as `answer` says; posts to a URL in `held` wait until it is let go."""

    def __init__(self) -> None:
        self.posted: list[Posting] = []
        self.answer: Callable[[Posting], PostResult] = lambda _: PostResult(200, "", elapsed_ms=2)
        self.held: dict[str, asyncio.Event] = {}
        self.at_once: dict[str, int] = {}
        self.most_at_once: dict[str, int] = {}
        self._moved = asyncio.Condition()

    async def post(self, posting: Posting) -> PostResult:
        url = posting.url
        self.at_once[url] = self.at_once.get(url, 0) + 1
        self.most_at_once[url] = max(self.most_at_once.get(url, 0), self.at_once[url])
        self.posted.append(posting)
        async with self._moved:
            self._moved.notify_all()
        if url in self.held:
            await self.held[url].wait()
        self.at_once[url] -= 1
        return self.answer(posting)

    async def until_posted(self, count: int) -> list[Posting]:
        async with asyncio.timeout(10), self._moved:
            await self._moved.wait_for(lambda: len(self.posted) >= count)
        return self.posted

    async def close(self) -> None:
        pass
