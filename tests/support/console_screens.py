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
    "phone": ("/console/phone", 200),
    "another phone": ("/console/phone?handset=1&via=zalo&class=otp", 200),
}
