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
    "batches": ("/console/batches", 200),
    "new batch": ("/console/batches/new", 200),
    "running batch": ("/console/batches/1", 200),
    "draft of a batch": ("/console/batches/2", 200),
    "checked batch": ("/console/batches/3", 200),
    "finished batch": ("/console/batches/4", 200),
    "missing batch": ("/console/batches/99", 404),
}
