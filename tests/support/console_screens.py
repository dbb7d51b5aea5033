"""Every address of the console that the browser tests look at, with the status it answers with."""

SCREENS = {
    "overview": ("/console/", 200),
    "new tenant": ("/console/?tenant=new", 200),
    "messages": ("/console/messages", 200),
    "filtered": ("/console/messages?state=rejected&state=undelivered&destination=abc", 422),
    "nothing found": ("/console/messages?sender=nobody", 200),
    "message": ("/console/messages/{newest}", 200),
    "missing": ("/console/messages/msg_ZZZZ", 404),
    "tail": ("/console/tail", 200),
    "channels": ("/console/channels", 200),
    "send": ("/console/send", 200),
    "send without a sender": ("/console/send?tenant=new", 200),
    "no such submission": ("/console/send/sub_ZZZZ", 404),
    "api": ("/console/api", 200),
    "api, nothing found": ("/console/api?q=zzzz", 200),
    "api operation": ("/console/api/sendMessage", 200),
    "api callback": ("/console/api/messageReport", 200),
    "api errors": ("/console/api/errors", 200),
    "api beside a vendor's": ("/console/api/vendor", 200),
    "no such operation": ("/console/api/nothing", 404),
}
