"""What each provider needs to run the suite: its peer, how to make the peer misbehave, how it reports, and what of its
settings the holders of slots share.

A provider that reaches a peer declares every scenario; one that reaches nothing declares what it can show. A third-party
provider adds a harness of its own to HARNESSES.
"""

import json
from dataclasses import replace

from hypothesis import strategies as st
from tests.contract.channel.peers import Gateway, Smsc
from tests.contract.channel.rig import SECRET, Rig, Token, attempt
from tests.contract.channel.zalo_rig import ORDER, LateInTheMinute, Zalo, settle_connections, zalo_settings

from loa.channels.registry import OWN
from loa.domain.lifecycle import State
from loa.domain.outcome import Accepted, Deferred, Refused, Unknown

SCENARIOS = {
    "accept": Accepted,
    "refusal": Refused,
    "throttle": Deferred,
    "garbage": Unknown,
    "slow": Unknown,
    "cut_before_bytes": Deferred,
    "cut_after_bytes": Unknown,
}
"""Scenario -> the outcome that one message must have."""

UNKNOWN_STATUS = (Deferred, Refused, Unknown)


class SmppHarness:
    name = "smpp"
    scenarios = (*SCENARIOS, "unknown_status")
    reports = True
    recovers = True
    wholes = st.fixed_dictionaries(
        {
            "host": st.just("127.0.0.1"),
            "system_id": st.just("esme"),
            "links": st.integers(1, 32),
            "mode": st.sampled_from(["transceiver", "separate"]),
            "window": st.integers(1, 10_000),
            "rate": st.just(0.0) | st.floats(0.01, 100_000),
        }
    )
    shared = ("links", "rate")

    async def open(self, **changes):
        self.peer = await Smsc().start()
        settings = {
            "host": "127.0.0.1",
            "port": self.peer.port,
            "system_id": "esme",
            "password": SECRET,
            "response_timeout_s": 0.3,
            "enquire_link_s": 30,
            "reconnect_first_s": 0.05,
            "reconnect_longest_s": 0.05,
        }
        self.rig = Rig(OWN["smpp"], settings | changes)
        return await self.rig.start()

    async def close(self):
        await self.rig.channel.stop(0)
        await self.peer.close()

    async def arrange(self, scenario):
        peer = self.peer
        if scenario == "cut_before_bytes":
            port = peer.port
            await peer.close()
            await self.rig.watch.until(lambda: not self.rig.channel.free(0))
            peer.port = port
            return
        peer.on_submit = {
            "accept": peer.accept,
            "refusal": peer.refuse(0x0B),
            "throttle": peer.refuse(0x58),
            "garbage": peer.garbage,
            "slow": peer.silent,
            "cut_after_bytes": peer.cut,
            "unknown_status": peer.refuse(0x4FE),
        }[scenario]

    def message(self, message_id, scenario="accept"):
        return attempt(message_id)

    def handed_over(self):
        return len(self.peer.submits)

    async def report(self, ref, state):
        self.peer.receipt(ref, {"delivered": "DELIVRD", "undelivered": "UNDELIV", "on_its_way": "ENROUTE"}[state])

    async def acknowledged(self, count):
        await self.peer.watch.until(lambda: len(self.peer.acks) >= count)
        return all(ack.status == 0 for ack in self.peer.acks)


class VendorHarness:
    name = "vendor"
    scenarios = (*SCENARIOS, "unknown_status")
    reports = True
    recovers = True
    wholes = st.fixed_dictionaries(
        {"base_url": st.just("http://127.0.0.1:1"), "api_key": st.just(SECRET), "window": st.integers(1, 1_000)}
    )
    shared = ("window",)

    async def open(self, **changes):
        self.peer = await Gateway().start()
        settings = {
            "base_url": f"http://127.0.0.1:{self.peer.port}",
            "api_key": SECRET,
            "response_timeout_s": 0.3,
            "connect_timeout_s": 2,
        }
        self.rig = Rig(OWN["vendor"], settings | changes)
        return await self.rig.start()

    async def close(self):
        await self.rig.channel.stop(0)
        await self.peer.close()

    async def arrange(self, scenario):
        peer = self.peer
        if scenario == "cut_before_bytes":
            await peer.close()
            return
        peer.on_request = {
            "accept": peer.accept,
            "refusal": peer.answering(400),
            "throttle": peer.answering(503, Retry_After="1"),
            "garbage": peer.answering(200, b"<html>it works</html>"),
            "slow": lambda request: "silent",
            "cut_after_bytes": lambda request: "cut",
            "unknown_status": peer.answering(299, json.dumps({"code": 700}).encode()),
        }[scenario]

    def message(self, message_id, scenario="accept"):
        return attempt(message_id)

    def handed_over(self):
        return len(self.peer.requests)

    async def report(self, ref, state):
        status = {"delivered": 2, "undelivered": "-2", "on_its_way": 1}[state]
        report = {"msisdn": "0912345678", "requestId": "r1", "sendTime": "", "status": status, "referentId": ref}
        receipt = OWN["vendor"].read_report(7, report | {"retryCount": 0}, self.rig.clock.now())
        self.rig.context.receipts(receipt, lambda stored: None)

    async def acknowledged(self, count):
        return True


class ZaloHarness:
    name = "zalo"
    scenarios = (*SCENARIOS, "unknown_status")
    reports = True
    recovers = True
    wholes = st.fixed_dictionaries(
        {
            "app_id": st.just("1"),
            "app_secret": st.just(SECRET),
            "oa_id": st.just("2"),
            "window": st.integers(1, 2_000),
            "rate_per_s": st.just(0.0) | st.floats(0.01, 100_000),
        }
    )
    shared = ("window", "rate_per_s")

    async def open(self, **changes):
        self.peer = await Zalo().start()
        settings = zalo_settings(self.peer.port) | {"response_timeout_s": 0.3, "connect_timeout_s": 2}
        self.rig = Rig(OWN["zalo"], settings | changes, tokens=Token(SECRET), clock=LateInTheMinute())
        return await self.rig.start()

    async def close(self):
        await self.rig.channel.stop(0)
        await self.peer.close()

    async def arrange(self, scenario):
        peer = self.peer
        if scenario == "cut_before_bytes":
            await peer.close()
            await settle_connections(self.rig.channel)
            return
        peer.on_send = {
            "accept": peer.accept,
            "refusal": peer.answering("error-118"),
            "throttle": peer.answering("oa-error-32"),
            "garbage": lambda request: (200, {}, b"<html>it works</html>"),
            "slow": lambda request: "silent",
            "cut_after_bytes": lambda request: "cut",
            "unknown_status": peer.saying({"error": -99_999, "message": "new"}),
        }[scenario]

    def message(self, message_id, scenario="accept"):
        return attempt(message_id, rich=ORDER)

    def handed_over(self):
        return len(self.peer.sends)

    async def report(self, ref, state):
        """Post the event that there is; what Zalo tells of nothing else than delivery stands for the others."""
        heard = self.peer.event(self.rig.context, ref, number=84912345678)
        (receipt,) = heard.receipts
        states = {"delivered": State.DELIVERED, "undelivered": State.UNDELIVERED, "on_its_way": None}
        self.rig.context.receipts(replace(receipt, state=states[state]), lambda stored: None)

    async def acknowledged(self, count):
        return True


class SandboxHarness:
    name = "sandbox"
    scenarios = ("accept", "refusal", "throttle", "slow")
    reports = False
    recovers = False
    wholes = st.fixed_dictionaries({"window": st.integers(1, 100_000)})
    shared = ("window",)

    async def open(self, **changes):
        self.rig = Rig(OWN["sandbox"], {"receipt_s": 0} | changes)
        return await self.rig.start()

    async def close(self):
        await self.rig.channel.stop(0)

    async def arrange(self, scenario):
        """Nothing: the number decides."""

    def message(self, message_id, scenario="accept"):
        ending = {"accept": 0, "refusal": 93, "throttle": 95, "slow": 96}[scenario]
        return attempt(message_id, destination=84912345600 + ending)

    def handed_over(self):
        return len(self.rig.outcomes)


HARNESSES = {each.name: each for each in (SmppHarness, VendorHarness, ZaloHarness, SandboxHarness)}
