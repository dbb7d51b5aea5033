"""Signatures, checked by a library that we did not write."""

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from loa.notify.signature import BadSecret, key_of, new_secret, sign

BODY = '{"msisdn":"84912345667","note":"đã gửi"}'.encode()


def headers(signature, stamp, identity="cb_01"):
    return {"webhook-id": identity, "webhook-timestamp": str(stamp), "webhook-signature": signature}


def test_another_library_accepts_the_signature():
    secret, stamp = new_secret(), int(time.time())
    signature = sign((secret,), "cb_01", stamp, BODY)
    assert Webhook(secret).verify(BODY, headers(signature, stamp))["msisdn"] == "84912345667"


def test_during_an_overlap_both_secrets_verify_and_a_third_does_not():
    now, before, other, stamp = new_secret(), new_secret(), new_secret(), int(time.time())
    signature = sign((now, before), "cb_01", stamp, BODY)
    for secret in (now, before):
        Webhook(secret).verify(BODY, headers(signature, stamp))
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers(signature, stamp))


@pytest.mark.parametrize("changed", ["body", "id", "timestamp"])
def test_a_change_of_anything_signed_is_noticed(changed):
    secret, stamp = new_secret(), int(time.time())
    signature = sign((secret,), "cb_01", stamp, BODY)
    body = BODY + b" " if changed == "body" else BODY
    given = headers(signature, stamp + (changed == "timestamp"), "cb_02" if changed == "id" else "cb_01")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, given)


def test_the_example_of_the_standard_comes_out():
    # The worked example of the Standard Webhooks specification, also in its libraries' tests.
    signature = sign(
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_new_secrets_differ_and_have_256_bits():
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(key_of(new_secret())) == 32


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("", "begins with whsec_"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with whsec_"),
        ("whsec_not base64!", "not base64"),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), "24 to 64 bytes, not 23"),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), "24 to 64 bytes, not 65"),
    ],
)
def test_a_bad_secret_is_refused_and_not_repeated(secret, told):
    with pytest.raises(BadSecret, match=told) as caught:
        sign((secret,), "cb_01", 1, BODY)
    assert not secret or secret not in str(caught.value)


def test_no_secret_is_no_signature():
    with pytest.raises(BadSecret, match="needs a secret"):
        sign((), "cb_01", 1, BODY)
