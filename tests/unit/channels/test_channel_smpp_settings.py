"""Settings of an SMPP channel and what follows from them."""

import pytest
from tests.unit.channels.window_rig import settings_of

from loa.channels import fields
from loa.channels.smpp import settings as own
from loa.channels.smpp.provider import PROVIDER
from loa.errors import ConfigError
from loa.smpp.outcomes import StatusClass


def test_extra_parameters_and_statuses_are_kept_in_one_spelling():
    settings = settings_of(extra_tlvs={"5121": "0A 01", "0x1402": ""}, status_map={"1025": "throttled"})
    assert settings.extra_tlvs == {"0x1401": "0a01", "0x1402": ""}
    assert settings.tlvs == ((0x1401, b"\x0a\x01"), (0x1402, b""))
    assert settings.statuses == {0x401: StatusClass.THROTTLED}
    assert own.read(fields.plain(settings)) == settings


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"extra_tlvs": {"0": "00"}}, "no parameter tag"),
        ({"extra_tlvs": {"tag": "00"}}, "no parameter tag"),
        ({"extra_tlvs": {"0x1401": "xyz"}}, "hexadecimal octets"),
        ({"status_map": {"0": "accepted"}}, "no error status"),
        ({"status_map": {"ten": "accepted"}}, "no error status"),
        ({"status_map": {"0x401": "fine"}}, "no kind of answer"),
        ({"packed": True, "default_alphabet": "latin1"}, "packed needs default_alphabet gsm"),
        ({"password": "mật khẩu"}, "password: SMPP carries ASCII"),
        ({"response_timeout_s": 90}, "response_timeout_s: give a number 0.05 to 80"),
        ({"packed": True, "long_message": "payload"}, "packed cannot go with"),
        ({"reconnect_first_s": 90}, "reconnect_first_s is longer"),
        ({"tls_ca_file": "/ca.pem"}, "set tls to true"),
        ({"tls": True, "tls_key_file": "/key.pem"}, "needs tls_cert_file"),
    ],
)
def test_settings_that_cannot_go_together_are_refused(given, words):
    with pytest.raises(ConfigError, match=words):
        settings_of(**given)


@pytest.mark.parametrize(
    ("given", "risky"),
    [
        ({"host": "8.8.8.8"}, True),
        ({"host": "smsc.example.vn"}, True),
        ({"host": "8.8.8.8", "tls": True}, False),
        ({"host": "10.1.2.3"}, False),
        ({"host": "127.0.0.1"}, False),
        ({"host": "localhost"}, False),
        ({"host": "smsc"}, False),
    ],
)
def test_plain_text_outside_private_networks_is_a_risk(given, risky):
    assert settings_of(**given).plain_text_risk is risky


def test_the_provider_keeps_the_password_secret_and_takes_no_reports():
    assert PROVIDER.info.secrets == {"password"}
    assert not PROVIDER.info.simulated
    assert PROVIDER.read_report(7, {"status": 2}, 0) is None
    assert "hush" not in repr(settings_of(password="hush"))
