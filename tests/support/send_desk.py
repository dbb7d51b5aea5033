"""What sending by hand needs on the desk: routes with prices, and a Zalo channel with a template."""

from loa.domain.routes import RouteStep
from loa.domain.template import Parameter, Tag, Template
from tests.support.console import Desk
from tests.support.fakes import EPOCH

TEMPLATE = Template(
    0,
    "302119",
    "Mã xác thực",
    "enabled",
    Tag.TRANSACTION,
    price=300,
    parameters=(Parameter("otp", max_length=10),),
)


async def prepare(desk: Desk) -> None:
    """Have the tenant acme send over an OA first and by SMS after it; by SMS alone to advertise."""
    ledger = desk.ledger
    settings = {"app_id": "1", "app_secret": "s", "oa_id": "1"}
    zalo = await ledger.add_channel("shop-oa", "zalo", settings)
    sms = await ledger.add_channel("carrier", "smpp", {"price": 700})
    await ledger.put_templates(zalo.id, [TEMPLATE], EPOCH)
    await ledger.set_template_text(zalo.id, TEMPLATE.template_id, "Ma OTP cua ban la <otp>")
    for route in await ledger.routes():
        await ledger.remove_route(route.id)
    await ledger.add_route(1, [RouteStep(zalo.id, 20), RouteStep(sms.id)], sender="LOA")
