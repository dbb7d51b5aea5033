"""A tenant's own class policies: changed one value at a time, and back to the installation's."""

import pytest
from tests.unit.cli.conftest import Run


def _policies(run: Run) -> object:
    return run("tenants", "list", "--json").json[0]["policies"]


def test_policies_are_changed_value_by_value_and_go_back(run: Run) -> None:
    changed = run(
        *("tenants", "policies", "default", "--change", "otp.evidence_wait_s=60"),
        *("--change", "transactional.on_unknown=never", "--json"),
    )
    assert changed.json["policies"] == {"otp": {"evidence_wait_s": 60}, "transactional": {"on_unknown": "never"}}
    run("tenants", "policies", "default", "--change", "otp.evidence_wait_s=default")
    assert _policies(run) == {"transactional": {"on_unknown": "never"}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("otp.bogus=1", "policies.otp.bogus"),
        ("otp.lifetime_s=0", "policies.otp.lifetime_s"),
        ("advertising.on_unknown=maybe", "policies.advertising.on_unknown"),
        ("alert.lifetime_s=5", "policies.alert"),
        ("otp", "policies.otp"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_its_place(run: Run, change: str, said: str) -> None:
    run("tenants", "add", "default")
    refused = run("tenants", "policies", "default", "--change", change)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert _policies(run) == {}
