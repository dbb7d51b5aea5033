"""Every address of the console that the browser tests look at, with the status it answers with."""

from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from loa.console.groups import demo
from loa.console.screens import SCREENS as ROUTES
from loa.domain.roles import May

SCREENS = {
    "overview": ("/console/", 200),
    "new tenant": ("/console/?tenant=new", 200),
    "messages": ("/console/messages", 200),
    "filtered": ("/console/messages?state=rejected&state=undelivered&destination=abc", 422),
    "nothing found": ("/console/messages?sender=nobody", 200),
    "message": ("/console/messages/{newest}", 200),
    "missing": ("/console/messages/msg_ZZZZ", 404),
    "submission": ("/console/submissions/{submission}", 200),
    "unknown": ("/console/unknown", 200),
    "nothing unknown": ("/console/unknown?tenant=new", 200),
    "settling": ("/console/messages/act?action=settle&state=unknown", 200),
    "sending again": ("/console/messages/act?action=again&state=unknown&state=rejected&state=undelivered", 200),
    "nothing to do": ("/console/messages/act?action=cancel&state=sent", 200),
    "interrupted": ("/console/messages/act/gone?action=again&state=rejected", 404),
    "searching": ("/console/search", 200),
    "nothing for it": ("/console/search?q=%3Cscript%3E", 404),
    "tail": ("/console/tail", 200),
    "channels": ("/console/channels", 200),
    "send": ("/console/send", 200),
    "send without a sender": ("/console/send?tenant=new", 200),
    "no such submission": ("/console/send/sub_ZZZZ", 404),
    "channel": ("/console/channels/main", 200),
    "paused channel": ("/console/channels/spare", 200),
    "hurtful channel": ("/console/channels/%22%3E%3Cimg%20src%3Dx%20onerror%3D%27window.hurt%3D1%27%3E", 200),
    "zalo channel": ("/console/channels/shop", 200),
    "missing channel": ("/console/channels/nobody", 404),
    "channel settings": ("/console/channels/shop/settings", 200),
    "add channel": ("/console/add-channel", 200),
    "add smpp": ("/console/add-channel?provider=smpp", 200),
    "routes": ("/console/routes", 200),
    "no routes": ("/console/routes?tenant=new", 200),
    "remove route": ("/console/routes/1/remove", 200),
    "where": ("/console/routes/where", 200),
    "senders": ("/console/senders", 200),
    "no senders": ("/console/senders?tenant=new", 200),
    "templates": ("/console/templates", 200),
    "template": ("/console/templates/one?channel=shop&id=11", 200),
    "hurtful template": ("/console/templates/one?channel=shop&id=12", 200),
    "missing template": ("/console/templates/one?channel=shop&id=99", 404),
    "rules": ("/console/rules", 200),
    "balance": ("/console/balance", 200),
    "keys": ("/console/keys?revoked=1", 200),
    "no keys": ("/console/keys?tenant=new", 200),
    "new key": ("/console/keys/new", 200),
    "foreign key": ("/console/keys/import", 200),
    "key": ("/console/keys/1", 200),
    "rotation": ("/console/keys/1/rotate", 200),
    "users": ("/console/users", 200),
    "new user": ("/console/users/new", 200),
    "user": ("/console/users/1", 200),
    "audit": ("/console/audit", 200),
    "audit filtered": ("/console/audit?who=nobody&since=never", 422),
    "system": ("/console/system", 200),
    "sign-ins": ("/console/sign-ins", 200),
    "callbacks": ("/console/callbacks", 200),
    "no endpoints": ("/console/callbacks?tenant=new", 200),
    "endpoint": ("/console/callbacks/1?done=endpoint_changed", 200),
    "endpoint to add": ("/console/callbacks/add", 200),
    "endpoint to replay": ("/console/callbacks/1/replay", 200),
    "nothing to replay": ("/console/callbacks/1/replay?since=x", 422),
    "deliveries": ("/console/callbacks/deliveries", 200),
    "deliveries filtered": ("/console/callbacks/deliveries?result=failed&message=abc", 422),
    "delivery": ("/console/callbacks/deliveries/cb_5", 200),
    "delivery of an inbound event": ("/console/callbacks/deliveries/cb_D?tenant=B%C6%B0u+%C4%91i%E1%BB%87n", 200),
    "api": ("/console/api", 200),
    "api, nothing found": ("/console/api?q=zzzz", 200),
    "api operation": ("/console/api/sendMessage", 200),
    "api callback": ("/console/api/messageReport", 200),
    "api errors": ("/console/api/errors", 200),
    "api beside a vendor's": ("/console/api/vendor", 200),
    "no such operation": ("/console/api/nothing", 404),
    "batches": ("/console/batches", 200),
    "new batch": ("/console/batches/new", 200),
    "running batch": ("/console/batches/1", 200),
    "draft of a batch": ("/console/batches/2", 200),
    "checked batch": ("/console/batches/3", 200),
    "finished batch": ("/console/batches/4", 200),
    "missing batch": ("/console/batches/99", 404),
    "phone": ("/console/phone", 200),
    "another phone": ("/console/phone?handset=1&via=zalo&class=otp", 200),
}


def needed(address: str, method: str = "GET") -> May:
    """Tell what somebody has to be allowed at an address; what is no screen is everybody's."""
    path = address.partition("?")[0].replace("{newest}", "msg_1").replace("{submission}", "sub_1")
    asked = {"type": "http", "method": method, "path": unquote(path)}
    found = (needs for route, needs in _ROUTES if route.matches(asked)[0] is Match.FULL)
    return next(found, May.READ_MESSAGES)


async def _nothing(_request: Request) -> Response:
    return Response()


_ROUTES = [(Route(each.path, _nothing, methods=[each.method]), each.needs) for each in (*ROUTES, *demo.SCREENS)]
