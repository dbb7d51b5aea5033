"""Administering a ledger that no gateway runs on: what each command changes, says, and ends with."""

import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run

from loa.domain import keys


def test_a_key_is_shown_once_and_only_its_display_is_kept(run: Run) -> None:
    made = run("keys", "create", "--name", "shop", "--json").json
    assert keys.well_formed(made["apiKey"])
    assert (made["tenant"], made["live"], made["permissions"]) == ("default", True, ["read:messages", "send"])
    listed = run("keys", "list", "--json")
    assert [each["display"] for each in listed.json] == [made["display"]]
    assert made["apiKey"] not in listed.out
    assert "apiKey" not in listed.json[0]


def test_without_json_standard_output_holds_the_key_alone(run: Run) -> None:
    made = run("keys", "create", "--name", "shop", "--test")
    assert keys.well_formed(made.out.strip())
    assert made.out.startswith("loa_test_")
    assert "shown this once" in made.err


def test_a_key_takes_all_that_it_may_be_limited_by(run: Run) -> None:
    run("tenants", "add", "acme")
    run("senders", "add", "ACME", "--tenant", "acme")
    run("endpoints", "add", "https://shop.example.vn/sms", "--tenant", "acme")
    made = run(
        *("keys", "create", "--name", "otp", "--tenant", "acme", "--permission", "send:otp", "--permission", "report"),
        *("--sender", "ACME", "--network", "203.0.113.0/24", "--expires", "90d", "--request-id-mode", "strict"),
        *("--success-code", "0", "--endpoint", "https://shop.example.vn/sms", "--json"),
    ).json
    assert made["permissions"] == ["report", "send:otp"]
    assert (made["senders"], made["networks"]) == (["ACME"], ["203.0.113.0/24"])
    assert (made["requestIdMode"], made["successCode"], made["endpointId"]) == ("strict", 0, 1)
    assert made["expiresAt"] > made["createdAt"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--permission", "sned"], 2, "there is no permission 'sned'"),
        (["--network", "203.0.113.7/24"], 2, "has host bits set"),
        (["--expires", "2020-01-01T00:00:00Z"], 2, "is over"),
        (["--request-id-mode", "loose"], 2, "is not one of"),
        (["--sender", "NOBODY"], 4, "has no sender 'NOBODY'"),
        (["--endpoint", "9"], 4, "has no endpoint '9'"),
        (["--tenant", "nobody"], 4, "there is no tenant 'nobody'"),
    ],
)
def test_a_wrong_limit_makes_no_key(run: Run, options: list[str], code: int, said: str) -> None:
    refused = run("keys", "create", "--name", "shop", *options)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err
    assert run("keys", "list", "--json").json == []


def test_a_key_of_another_gateway_is_taken_over_once(run: Run) -> None:
    made = run("keys", "create", "--name", "old", "--import-file", "-", "--json", given="legacy-key-0123456789\n")
    assert made.json["apiKey"] == "legacy-key-0123456789"
    again = run("keys", "create", "--name", "old", "--import-file", "-", given="legacy-key-0123456789\n")
    assert again.code == 5
    ours = run("keys", "create", "--name", "old", "--import-file", "-", given=keys.mint(live=True).secret)
    assert ours.code == 2


def test_a_revoked_key_cannot_be_revoked_again(run: Run) -> None:
    made = run("keys", "create", "--name", "shop", "--json").json
    assert run("keys", "revoke", "1").code == 2
    assert run("keys", "list", "--json").json[0]["revokedAt"] is None
    assert run("keys", "revoke", made["apiKey"], "--yes").code == 0
    assert run("keys", "list", "--json").json[0]["revokedAt"] is not None
    assert run("keys", "revoke", "1", "--yes").code == 4


def test_what_is_there_already_is_a_conflict_said_in_one_sentence(run: Run) -> None:
    assert run("tenants", "add", "acme").code == 0
    again = run("tenants", "add", "acme")
    assert (again.code, again.out, again.err) == (5, "", "Error: there is a tenant 'acme' already\n")
    as_json = run("tenants", "add", "acme", "--json")
    assert json.loads(as_json.err) == {
        "error": "tenant_exists",
        "detail": "there is a tenant 'acme' already",
        "exit": 5,
    }


def test_a_sender_has_a_form_that_handsets_take(run: Run) -> None:
    assert run("senders", "add", "ACME").code == 0
    assert run("senders", "add", "ACME").code == 0
    assert [each["name"] for each in run("senders", "list", "--json").json] == ["ACME"]
    assert run("senders", "add", "MUCH-TOO-LONG").code == 2
    assert run("senders", "add", "ACME", "--kind", "short_code").code == 2
    assert run("senders", "add", "8099", "--kind", "short_code").code == 0


def test_a_channels_settings_are_checked_and_its_secrets_never_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    base = ("channels", "add", "viettel", "smpp", "--set", "host=smsc.example.vn")
    missing = run(*base)
    assert missing.code == 2
    assert "system_id is missing" in missing.err
    misspelt = run(*base, "--set", "system_id=loa", "--set", "windwo=5")
    assert "did you mean window?" in misspelt.err
    added = run(*base, "--set", "system_id=loa", "--set", "window=50", "--set-file", "password=password", "--json")
    assert added.json["settings"] == {
        "host": "smsc.example.vn",
        "system_id": "loa",
        "window": 50,
        "password": "********",
    }
    shown = run("channels", "show", "viettel", "--json")
    assert "hunter2" not in shown.out
    assert shown.json["allSettings"]["port"] == 2775


def test_a_channel_whose_owner_is_nobody_is_refused(run: Run) -> None:
    own = ("--set", "app_id=1", "--set", "oa_id=2", "--set", "app_secret=s")
    refused = run("channels", "add", "shop", "zalo", *own, "--set", "owner=nobody")
    assert (refused.code, "there is no such tenant" in refused.err) == (2, True), refused.err
    run("tenants", "add", "acme")
    added = run("channels", "add", "shop", "zalo", *own, "--set", "owner=acme", "--json").json
    assert added["settings"]["owner"] == "acme"
    again = run("channels", "set", "shop", "--set", "owner=nobody")
    assert (again.code, "there is no such tenant" in again.err) == (2, True), again.err


def test_a_channels_settings_can_be_changed_and_taken_back(run: Run) -> None:
    run("channels", "add", "viettel", "smpp", "--set", "host=a", "--set", "system_id=loa", "--set", "window=50")
    changed = run("channels", "set", "viettel", "--set", "host=b", "--unset", "window", "--json").json
    assert changed["settings"] == {"host": "b", "system_id": "loa"}
    assert run("channels", "set", "viettel", "--unset", "host").code == 2
    assert run("channels", "set", "nobody", "--set", "host=b").code == 4
    assert run("channels", "show", "viettel", "--json").json["settings"]["host"] == "b"


def test_a_channel_is_paused_and_goes_on(run: Run) -> None:
    run("channels", "add", "trial", "sandbox")
    run("channels", "pause", "trial")
    assert "paused" in run("channels", "list").out
    run("channels", "resume", "trial")
    assert run("channels", "list", "--json").json[0]["paused"] is False
    assert run("channels", "pause", "nobody").code == 4


def test_a_connection_test_says_each_step_and_fails_with_the_code(run: Run) -> None:
    run("channels", "add", "trial", "sandbox")
    assert run("channels", "test", "trial", "--json").json["ok"] is True
    run("channels", "add", "away", "smpp", "--set", "host=127.0.0.1", "--set", "port=1", "--set", "system_id=loa")
    tried = run("channels", "test", "away")
    assert tried.code == 1
    assert "ok    resolve: 127.0.0.1\nFAIL  connect: connection refused" in tried.out


def test_an_unknown_provider_is_refused_with_those_there_are(run: Run) -> None:
    refused = run("channels", "add", "x", "smmp")
    assert refused.code == 2
    assert "choose of: sandbox, smpp, vendor" in refused.err


def test_routes_name_channels_and_conditions_that_exist(run: Run) -> None:
    run("channels", "add", "one", "sandbox")
    run("channels", "add", "two", "sandbox")
    run("senders", "add", "ACME")
    added = run(
        *("routes", "add", "two", "one", "--sender", "ACME", "--class", "otp", "--carrier", "viettel", "--json")
    ).json
    assert (added["channels"], added["sender"], added["class"]) == (["two", "one"], "ACME", "otp")
    assert run("routes", "add", "three").code == 4
    assert run("routes", "add", "one", "--sender", "NOBODY").code == 4
    assert run("routes", "add", "one", "--carrier", "vietel").code == 2
    assert run("routes", "add", "one", "--position", "1", "--json").json["position"] == 1
    assert [each["position"] for each in run("routes", "list", "--json").json] == [1, 10]
    assert run("routes", "remove", added["id"], "--yes").code == 0
    assert run("routes", "remove", added["id"], "--yes").code == 4


def test_a_route_takes_another_place(run: Run) -> None:
    run("channels", "add", "one", "sandbox")
    ids = [run("routes", "add", "one", "--json").json["id"] for _ in range(3)]
    assert run("routes", "move", ids[2], "1", "--json").json["position"] == 10
    assert [each["id"] for each in run("routes", "list", "--json").json] == [ids[2], ids[0], ids[1]]
    assert run("routes", "move", "99", "1").code == 4
    assert run("routes", "move", ids[0], "0").code == 2


def test_what_a_provider_takes_is_told(run: Run) -> None:
    assert {each["name"] for each in run("channels", "providers", "--json").json} >= {"smpp", "vendor", "zalo"}
    (smpp,) = run("channels", "providers", "smpp", "--json").json
    told = {each["name"]: each for each in smpp["settings"]}
    assert (told["host"]["needed"], told["host"]["default"]) == (True, None)
    assert (told["password"]["secret"], told["password"]["kind"]) == (True, "text")
    assert (told["port"]["kind"], told["port"]["low"], told["port"]["high"]) == ("number", 1, 65_535)
    assert told["mode"]["options"] == ["transceiver", "separate"]
    assert "required" in run("channels", "providers", "smpp").out
    assert run("channels", "providers", "pigeon").code == 4


def test_an_endpoint_shows_its_secret_once_and_obeys_the_guard(run: Run) -> None:
    added = run("endpoints", "add", "https://shop.example.vn/sms", "--json").json
    assert added["secret"].startswith("whsec_")
    again = run("endpoints", "add", "https://shop.example.vn/sms", "--every-step", "--inbound", "--json").json
    assert (again["id"], again["secret"], again["everyStep"], again["inbound"]) == (added["id"], None, True, True)
    assert "secret" not in run("endpoints", "list", "--json").json[0]
    inside = run("endpoints", "add", "https://10.0.0.7/sms")
    assert inside.code == 2
    assert "its address is private" in inside.err
    assert run("endpoints", "enable", "1").code == 0
    assert run("endpoints", "enable", "2").code == 4


def test_the_secret_of_an_endpoint_is_rotated_with_an_overlap(run: Run) -> None:
    first = run("endpoints", "add", "https://nowhere.invalid/sms", "--json").json["secret"]
    rotated = run("endpoints", "rotate-secret", "1", "--json").json
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != first
    assert rotated["secrets"] == 2
    assert run("endpoints", "rotate-secret", "1", "--json").json["secrets"] == 2
    assert run("endpoints", "retire-secret", "1", "--json").json["secrets"] == 1
    refused = run("endpoints", "retire-secret", "1")
    assert (refused.code, "only one secret" in refused.err) == (2, True)
    assert run("endpoints", "rotate-secret", "7").code == 4


def test_what_an_endpoint_is_told_can_be_changed(run: Run) -> None:
    run("endpoints", "add", "https://shop.example.vn/sms", "--inbound")
    changed = run("endpoints", "change", "1", "--every-step", "--no-inbound", "--json").json
    assert (changed["everyStep"], changed["inbound"]) == (True, False)
    assert run("endpoints", "change", "1", "--inbound", "--json").json["everyStep"] is True
    assert run("endpoints", "change", "7", "--inbound").code == 4


def test_a_test_of_an_endpoint_shows_the_exchange_and_that_it_was_not_taken(run: Run) -> None:
    run("endpoints", "add", "https://nowhere.invalid/sms?shop=1")
    told = run("endpoints", "test", "1")
    assert told.code == 1
    assert told.out.startswith("POST /sms?shop=1 HTTP/1.1\nHost: nowhere.invalid\n")
    assert "not taken, no answer: resolve" in told.out
    assert run("endpoints", "test", "7").code == 4


def test_an_endpoint_can_be_given_to_a_key(run: Run) -> None:
    run("keys", "create", "--name", "shop")
    run("endpoints", "add", "https://shop.example.vn/sms", "--for-key", "1")
    assert run("keys", "list", "--json").json[0]["endpointId"] == 1
    assert run("endpoints", "add", "https://shop.example.vn/sms", "--for-key", "2").code == 4


def test_a_replay_names_what_goes_out_again(run: Run) -> None:
    run("endpoints", "add", "https://shop.example.vn/sms")
    assert run("callbacks", "replay").code == 2
    assert run("callbacks", "replay", "cb_?").code == 2
    assert run("callbacks", "replay", "--endpoint", "9").code == 4
    assert run("callbacks", "replay", "--endpoint", "1", "--since", "12h", "--json").json == {"replayed": 0}


def test_an_empty_list_says_what_to_do_beside_the_data(run: Run) -> None:
    listed = run("channels", "list")
    assert listed.out == ""
    assert "loa channels add NAME PROVIDER" in listed.err
    assert run("channels", "list", "--json").json == []


def test_wrong_settings_end_a_command_before_it_touches_anything(run: Run, tmp_path: Path) -> None:
    refused = run("keys", "list", "--set", "server.port=1", "--set", "log.level=loud")
    assert refused.code == 2
    assert "there is no setting server.port" in refused.err
    assert "log.level is 'loud'" in refused.err
    assert not (tmp_path / ".loa").exists()
