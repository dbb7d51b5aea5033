"""What there is on the simulated platform at the start: Official Accounts with their app, templates and users.

Frozen; what moves on from here is kept by `state`.
"""

from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from loa.errors import ConfigError

_STRICT: Final = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a template. Units: lengths in characters after NFC, `max_length` 0 for the cap of its kind."""

    __pydantic_config__ = _STRICT

    name: str
    kind: str = "STRING"
    required: bool = True
    accepts_empty: bool = False
    min_length: int = 0
    max_length: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """One template. `text`: how it reads on the phone, with its parameters as `<name>`.

    `status`: ENABLE, PENDING_REVIEW, REJECT, DISABLE or DELETE. `tag`: 1 transaction, 2 customer care, 3 promotion.
    `daily_quota` 0: it has none of its own. `to_users`: it may also go to user ids. `journey`: it needs a journey.
    Units: prices in VND.
    """

    __pydantic_config__ = _STRICT

    template_id: str
    name: str = ""
    status: str = "ENABLE"
    tag: int = 1
    quality: str = "HIGH"
    parameters: tuple[Parameter, ...] = ()
    text: str = ""
    price: int = 300
    price_to_user: int = 220
    timeout_ms: int = 7_200_000
    daily_quota: int = 0
    to_users: bool = True
    journey: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """One user of Zalo as an Official Account knows it.

    `last_interaction` in milliseconds; None: just when the simulator starts, 0: never. `admin`: of the app or the
    Official Account, so that development mode reaches it.
    """

    __pydantic_config__ = _STRICT

    user_id: str
    msisdn: str = ""
    name: str = "Nguyễn Văn A"
    by_app: str = ""
    follower: bool = True
    last_interaction: int | None = None
    admin: bool = True


@dataclass(frozen=True, slots=True)
class Oa:
    """One Official Account and the app that it authorised.

    `secret_key` signs events. `redirect_uri` and `code_challenge` as saved in the console: empty for any, and for the
    one that each request brings. `access_token` and `refresh_token`: a pair that is valid from the start.
    `remaining` None: all of `daily_quota`. `beyond_quota`: sending mode 3 is allowed. `tags`: what it may send.
    `events_url`: where its app's events go, empty for the script's.
    """

    __pydantic_config__ = _STRICT

    oa_id: str = "5797458635083528841"
    name: str = "Cửa hàng Loa"
    app_id: str = "4242424242424242424"
    app_secret: str = field(default="app-secret-of-the-simulator", repr=False)
    secret_key: str = field(default="oa-secret-key-of-the-simulator", repr=False)
    redirect_uri: str = ""
    code_challenge: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    daily_quota: int = 20_000
    remaining: int | None = None
    promotion_quota: int = 10_000
    consultation_quota: int = 1_000
    development_wallet: int = 1_000
    beyond_quota: bool = False
    quality: str = "HIGH"
    tags: tuple[int, ...] = (1, 2, 3)
    templates: tuple[Template, ...] = ()
    users: tuple[User, ...] = ()
    events_url: str = ""


PLAIN_TEMPLATES: Final = (
    Template(
        "302117",
        "Xác nhận đơn hàng",
        parameters=(Parameter("customer_name", "name"), Parameter("order_code", "code")),
        text="Chào <customer_name>, đơn hàng <order_code> của bạn đã được xác nhận.",
        daily_quota=5_000_000,
    ),
    Template(
        "302118",
        "Hành trình giao hàng",
        parameters=(Parameter("customer_name", "name"), Parameter("order_code", "code")),
        text="Đơn <order_code> đang trên đường đến <customer_name>.",
        to_users=False,
        journey=True,
    ),
    Template(
        "302119",
        "Mã xác thực",
        parameters=(Parameter("otp", "otp"),),
        text="Mã xác thực của bạn là <otp>.",
        timeout_ms=15_000,
        to_users=False,
    ),
    Template(
        "302120",
        "Ưu đãi",
        tag=3,
        parameters=(Parameter("customer_name", "name"),),
        text="<customer_name> ơi, tuần này giảm 20%.",
    ),
)
PLAIN_USERS: Final = (User("8764230215434982221", "84912345678", by_app="3123456789012345678"),)
PLAIN_OA: Final = Oa(daily_quota=10_000_000, templates=PLAIN_TEMPLATES, users=PLAIN_USERS)
"""What a simulator has that is told of nothing else: with a quota that no trial uses up."""

Read = TypeVar("Read")
_OAS: Final[TypeAdapter[tuple[Oa, ...]]] = TypeAdapter(tuple[Oa, ...])
_TEMPLATE: Final = TypeAdapter(Template)
_USER: Final = TypeAdapter(User)


def oas_from(values: object) -> tuple[Oa, ...]:
    """Read Official Accounts from the plain values of a JSON or TOML document. Errors: ConfigError naming fields."""
    return _read(_OAS, values)


def template_from(values: object) -> Template:
    """Read one template. Errors: ConfigError naming fields."""
    return _read(_TEMPLATE, values)


def user_from(values: object) -> User:
    """Read one user. Errors: ConfigError naming fields."""
    return _read(_USER, values)


def _read(kind: TypeAdapter[Read], values: object) -> Read:
    try:
        return kind.validate_python(values)
    except ValidationError as wrong:
        fields = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in wrong.errors())
        raise ConfigError(f"the simulated platform is described wrongly: {fields}") from wrong
