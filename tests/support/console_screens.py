"""Every address of the console that the browser tests look at, with the status it answers with."""

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
}
