"""Templates in the native API: those of the tenant's own channels, page by page."""

import pytest
from tests.support.fakes import EPOCH
from tests.support.native_api import House

from loa.domain.template import Parameter, Tag, Template

PATH = "/api/v1/templates"
ORDER = Template(
    0,
    "302117",
    "Xác nhận đơn hàng",
    "enabled",
    Tag.TRANSACTION,
    "high",
    price=300,
    remaining_quota=0,
    parameters=(Parameter("name", max_length=30), Parameter("day", "date", required=False)),
)


@pytest.fixture
async def shop(house: House) -> House:
    """Give a house whose channel has three templates, beside a channel over which only the other tenant goes."""
    foreign = await house.ledger.add_channel("foreign", "sandbox", {})
    await house.ledger.add_route(house.other.id, [foreign.id], sender="LOA", position=0)
    rejected = Template(0, "9", "Ưu đãi", "rejected", reason="Sai mẫu")
    await house.ledger.put_templates(house.channel.id, [ORDER, rejected, Template(0, "10", "Cảm ơn", "enabled")], EPOCH)
    await house.ledger.put_templates(foreign.id, [Template(0, "1", "Khác", "enabled")], EPOCH)
    await house.ledger.set_template_text(house.channel.id, "302117", "Chao <name>")
    await house.registry.refresh()
    return house


async def test_a_tenants_templates_are_listed_with_parameters_and_text(shop: House) -> None:
    said = (await shop.call("GET", PATH)).json()
    assert [each["templateId"] for each in said["templates"]] == ["9", "10", "302117"]
    assert said["nextCursor"] is None
    rejected, _, order = said["templates"]
    assert (rejected["status"], rejected["reason"], rejected["text"], rejected["tag"]) == (
        *("rejected", "Sai mẫu"),
        *(None, None),
    )
    assert order == {
        "channel": "vina",
        "templateId": "302117",
        "name": "Xác nhận đơn hàng",
        "status": "enabled",
        "tag": "transaction",
        "quality": "high",
        "text": "Chao <name>",
        "parameters": [
            {
                "name": "name",
                "kind": None,
                "required": True,
                "acceptsEmpty": False,
                "minLength": 0,
                "maxLength": 30,
            },
            {
                "name": "day",
                "kind": "date",
                "required": False,
                "acceptsEmpty": False,
                "minLength": 0,
                "maxLength": None,
            },
        ],
        "price": 300,
        "priceToUser": 0,
        "dailyQuota": None,
        "remainingQuota": 0,
        "previewUrl": None,
        "reason": None,
        "syncedAt": "2026-11-18T11:06:40.000Z",
    }


async def test_only_channels_of_the_tenants_own_routes_are_shown(shop: House) -> None:
    theirs = (await shop.call("GET", PATH, key=shop.other_key)).json()["templates"]
    assert {each["channel"] for each in theirs} == {"foreign", "vina"}
    assert (await shop.call("GET", f"{PATH}?channel=foreign")).json()["templates"] == []


async def test_the_list_is_narrowed_and_read_page_by_page(shop: House) -> None:
    enabled = (await shop.call("GET", f"{PATH}?status=enabled&channel=vina")).json()["templates"]
    assert [each["templateId"] for each in enabled] == ["10", "302117"]
    first = (await shop.call("GET", f"{PATH}?limit=2")).json()
    assert [each["templateId"] for each in first["templates"]] == ["9", "10"]
    second = (await shop.call("GET", f"{PATH}?limit=2&cursor={first['nextCursor']}")).json()
    assert [each["templateId"] for each in second["templates"]] == ["302117"]
    assert second["nextCursor"] is None


@pytest.mark.parametrize("query", ["status=good", "kind=x", "cursor=bTc"])
async def test_a_slip_of_the_pen_is_refused(house: House, query: str) -> None:
    assert (await house.call("GET", f"{PATH}?{query}")).status == 422
