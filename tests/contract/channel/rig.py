"""A channel at work without the stages: what it settles, receives and reports late is kept for the test."""

import asyncio

from tests.contract.channel.peers import Watch

from loa.app.probes import NoProbe
from loa.domain.traffic import TrafficClass
from loa.observe.clock import SystemClock
from loa.ports.channel import Attempt, ChannelContext

FAR = 4_000_000_000_000
SECRET = "hush-not-for-people"


def attempt(message_id=1, *, destination=84912345678, text="hello", encoding="gsm7", segment_count=1, **fields):
    given = {
        "message_id": message_id,
        "number": 1,
        "channel_id": 7,
        "traffic_class": TrafficClass.TRANSACTIONAL,
        "destination": destination,
        "sender": "LOA",
        "text": text,
        "encoding": encoding,
        "segment_count": segment_count,
        "expires_at": FAR,
        "referent_id": "sub_01J00000000000000000000000",
        "possible_duplicate": False,
        "ext": {},
    }
    return Attempt(**{**given, **fields})


class Token:
    """A grant that nobody has to look after: one access token at a time."""

    def __init__(self, token):
        self.token = token
        self.spoilt = []

    def current(self):
        return self.token

    def spoiled(self, token):
        self.spoilt.append(token)


class Rig:
    """One channel of a provider with a context of its own."""

    def __init__(self, provider, settings, *, clock=None, probe=None, tokens=None):
        self.watch = Watch()
        self.outcomes = []
        self.lates = []
        self.receipts = []
        self.acknowledge = True
        self.unacknowledged = []
        self.wakes = 0
        self.clock = clock or SystemClock()
        self.context = ChannelContext(
            channel_id=7,
            name="under-test",
            clock=self.clock,
            probe=probe or NoProbe(),
            receipts=self._receipt,
            wake=self._wake,
            settings=provider.check(settings),
            late=self._late,
            tokens=tokens,
        )
        self.channel = provider.build(self.context)

    async def start(self, *, ready=True):
        await self.channel.start()
        if ready:
            await self.until_free()
        return self

    async def until_free(self, count=1):
        await self.watch.until(lambda: self.channel.free(self.clock.now()) >= count)

    def submit(self, *attempts):
        self.channel.submit(attempts, self._settle)

    async def settled(self, count=1):
        await self.watch.until(lambda: len(self.outcomes) >= count)
        return self.outcomes

    async def outcome_of(self, one):
        """Hand one attempt over and give its outcome."""
        before = len(self.outcomes)
        self.submit(one)
        await self.settled(before + 1)
        return next(outcome for each, outcome in self.outcomes[before:] if each is one)

    async def received(self, count=1):
        await self.watch.until(lambda: len(self.receipts) >= count)
        return self.receipts

    def _settle(self, attempt, outcome):
        assert asyncio.get_running_loop() is not None
        self.outcomes.append((attempt, outcome))
        self.watch.changed()

    def _late(self, attempt, outcome):
        self.lates.append((attempt, outcome))
        self.watch.changed()

    def _receipt(self, receipt, acknowledge):
        self.receipts.append(receipt)
        if self.acknowledge is None:
            self.unacknowledged.append(acknowledge)
        else:
            acknowledge(self.acknowledge)
        self.watch.changed()

    def _wake(self):
        self.wakes += 1
        self.watch.changed()
