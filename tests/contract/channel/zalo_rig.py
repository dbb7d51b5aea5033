"""Zalo as far as a channel sees it: a scripted peer that answers with the payloads of tests/fixtures/zalo."""

import asyncio
import json

from tests.contract.channel.peers import Gateway
from tests.contract.channel.rig import SECRET
from tests.support.zalo_payloads import WORLD, payload

from loa.channels.registry import OWN
from loa.channels.zalo.events import signature_of
from loa.observe.clock import SystemClock
from loa.ports.records import ChannelRecord

ORDER = {
    "kind": "template",
    "template_id": WORLD["template_id"],
    "data": {"customer_name": "Nguyễn Văn A", "order_code": "DH-20261126"},
    "tag": 1,
}


def zalo_settings(port):
    address = f"http://127.0.0.1:{port}"
    return {
        "app_id": WORLD["app_id"],
        "app_secret": SECRET,
        "oa_id": WORLD["oa_id"],
        "oa_secret_key": SECRET,
        "oauth_url": address,
        "openapi_url": address,
        "business_url": address,
    }


class LateInTheMinute(SystemClock):
    """Wall time that always stands just before the next minute, for a pause that lasts until then."""

    def now(self):
        return super().now() // 60_000 * 60_000 + 59_800


async def settle_connections(channel):
    """Let the channel hear that its connections are gone."""
    while channel._client._pool._wires:
        await asyncio.sleep(0)


class Zalo(Gateway):
    """Answers what is only read from files, and messages as `on_send` says."""

    def __init__(self):
        super().__init__()
        self.sends = []
        self.looks = []
        self.on_send = self.accept
        self.on_request = self._route
        self.reads = {
            "/message/quota": payload("quota.answer"),
            "/v2.0/oa/getoa": payload("getoa.answer"),
            "/message/status": payload("message-status.answer"),
            "/template/info/v2": payload("template-info.answer"),
        }

    def _route(self, request):
        method, path, _ = request["line"].split(" ")
        if method == "GET":
            self.looks.append(request)
            answer = self.reads[path.partition("?")[0]]
            return answer(request) if callable(answer) else _said(answer)
        self.sends.append(request)
        return self.on_send(request)

    def accept(self, request):
        answer = {**payload("template-send.answer").body}
        answer["data"] = {**answer["data"], "msg_id": f"f7a1b2c3d4e5f6071829{len(self.sends):04x}"}
        return 200, {}, json.dumps(answer).encode()

    @staticmethod
    def answering(name):
        return lambda request: _said(payload(f"{name}.answer"))

    @staticmethod
    def saying(answer, status=200):
        return lambda request: (status, {}, json.dumps(answer).encode())

    @staticmethod
    def event(context, ref, *, number, tracking="msg_0-1"):
        """Give what a channel hears when a message reaches its phone."""
        event = {
            **payload("zns-user-received-message.event").body,
            "recipient": {"id": str(number)},
            "message": {"delivery_time": "1795480001500", "msg_id": ref, "tracking_id": tracking},
        }
        body = json.dumps(event).encode()
        headers = {"x-zevent-signature": signature_of(event["app_id"], body, event["timestamp"], SECRET)}
        record = ChannelRecord(context.channel_id, context.name, "zalo", context.settings)
        return OWN["zalo"].hear([record], headers, body, context.clock.now())


def _said(answer):
    return answer["status"], {}, json.dumps(answer.body).encode()
