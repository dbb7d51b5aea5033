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
    "callbacks": ("/console/callbacks", 200),
    "no endpoints": ("/console/callbacks?tenant=new", 200),
    "endpoint": ("/console/callbacks/1?done=endpoint_changed", 200),
    "endpoint to add": ("/console/callbacks/add", 200),
    "endpoint to replay": ("/console/callbacks/1/replay", 200),
    "nothing to replay": ("/console/callbacks/1/replay?since=x", 422),
    "deliveries": ("/console/callbacks/deliveries", 200),
    "deliveries filtered": ("/console/callbacks/deliveries?result=failed&message=abc", 422),
    "delivery": ("/console/callbacks/deliveries/cb_5", 200),
    "delivery of an inbound event": ("/console/callbacks/deliveries/cb_B?tenant=B%C6%B0u+%C4%91i%E1%BB%87n", 200),
}
