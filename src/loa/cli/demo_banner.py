"""What a demo says when it is ready: the call to paste, where to read the result, where data lies, how to stop."""

import shlex

from loa.app.demo import Ready
from loa.app.demo_calls import NUMBER, sms_call, zalo_call
from loa.settings.tree import Settings


def curl(ready: Ready) -> str:
    """Write the vendor's own call, ready to paste into a shell; each time it has a requestId of its own."""
    return sms_call(ready.url, ready.api_key, ready.sender)


def zalo_curl(ready: Ready) -> str:
    """Write the call of a message that goes over Zalo."""
    return zalo_call(ready.url, ready.api_key, ready.zalo_example)


def _console(ready: Ready) -> str:
    if not ready.console:
        return ""
    how = "Look at it in a browser (the link is good once, for 15 minutes; the next start gives another):"
    return f"\n{how}\n\n{ready.console}\n"


def banner(ready: Ready) -> str:
    """Write everything a newcomer needs."""
    where = "" if ready.data_dir == Settings().data_dir else f" --data {shlex.quote(str(ready.data_dir))}"
    return f"""
Loa is ready at {ready.url}. It reaches no real phone: Zalo, SMSC and callback receiver are simulated here.
{_console(ready)}
Send a message; paste this into another terminal:

{curl(ready)}

Read what became of it, with the referentId of the answer:

curl -sS {ready.url}/api/v1/submissions/REFERENT_ID -H 'API-KEY: {ready.api_key}'

Or let Loa do it:  loa send {NUMBER} --text 'Xin chào từ Loa' --wait{where}
Numbers ending in 90 are undelivered, 91 rejected, 92 expired, 98 never reported.

The same call goes over Zalo when its text is a registered template:

{zalo_curl(ready)}

{ready.not_on_zalo} is not on Zalo: with this number the same message goes over SMS at once.

Test key (reaches only the sandbox): {ready.test_api_key}
Callbacks go to {ready.receiver}, the SMSC is at {ready.smsc}.
Data lies in {ready.data_dir}; kill Loa at any time, nothing accepted is lost. Ctrl-C stops it.
"""
