"""The pages about channels say what the code does."""

from pathlib import Path

import pytest

from loa.channels import fields
from loa.channels.registry import OWN
from loa.channels.sandbox.channel import SandboxSettings
from loa.channels.sandbox.rules import BY_ENDING, RULES
from loa.channels.smpp.settings import SmppSettings
from loa.channels.vendor.settings import VendorSettings
from loa.channels.zalo.settings import ZaloSettings

PAGES = Path(__file__).parents[3] / "docs" / "reference" / "channels"


@pytest.mark.parametrize(
    ("name", "declared"),
    [("smpp", SmppSettings), ("vendor", VendorSettings), ("sandbox", SandboxSettings), ("zalo", ZaloSettings)],
)
def test_the_page_of_a_provider_holds_its_settings(name, declared):
    assert "\n".join(fields.reference(declared)) in (PAGES / f"{name}.md").read_text(encoding="utf-8")


def test_every_provider_has_a_page():
    assert {page.stem for page in PAGES.glob("*.md")} == set(OWN)


def test_the_page_of_the_sandbox_holds_its_rules():
    page = (PAGES / "sandbox.md").read_text(encoding="utf-8")
    endings = {name: str(ending) for ending, name in BY_ENDING.items()}
    for name, rule in RULES.items():
        assert f"| {endings.get(name, 'any other')} | `{name}` | {rule.meaning} |" in page
