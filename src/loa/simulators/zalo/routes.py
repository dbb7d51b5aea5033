"""Which call is answered by what: method and path, on one port for the three hosts, whose paths do not collide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from loa.simulators.zalo import business, codes, oauth, official, templates, uploads
from loa.simulators.zalo.exchange import Exchange
from loa.simulators.zalo.platform import Case, Platform
from loa.simulators.zalo.reading import Read, data_of, query_of, reads

CONSENT_PATH: Final = "/v4/oa/permission"


@dataclass(frozen=True, slots=True)
class Route:
    """How one call is read, and in which shape its errors are written. `limited`: it counts in the rate of the app."""

    read: Callable[[Platform, Exchange], Case]
    error: Callable[[int, str], dict[str, Any]]
    limited: bool = False


def _business(read: Read) -> Route:
    return Route(reads(read, query_of, templates.BAD_TOKEN, templates.BAD_TOKEN), codes.template_error)


def _official(read: Read) -> Route:
    return Route(reads(read, data_of, official.BAD_TOKEN, official.OLD_TOKEN), codes.oa_error, limited=True)


ROUTES: Final[Mapping[tuple[bytes, str], Route]] = {
    (b"POST", "/message/template"): Route(templates.to_number, codes.template_error),
    (b"POST", "/message/template/hashphone"): Route(templates.to_hash, codes.template_error),
    (b"POST", "/journey/get-token"): Route(business.journey_open, codes.template_error),
    (b"GET", "/journey/check-token"): _business(business.journey_check),
    (b"GET", "/message/status"): _business(business.message_status),
    (b"GET", "/message/quota"): _business(business.quota),
    (b"GET", "/message/template-tag"): _business(business.tags),
    (b"GET", "/quality"): _business(business.quality),
    (b"GET", "/template/all"): _business(business.template_list),
    (b"GET", "/template/info/v2"): _business(business.template_detail),
    (b"GET", "/template/sample-data"): _business(business.sample_data),
    (b"GET", "/rating/get"): _business(business.ratings),
    (b"POST", "/v4/oa/access_token"): Route(oauth.tokens, codes.oauth_error),
    (b"POST", "/v3.0/oa/message/cs"): Route(official.consultation, codes.oa_error, limited=True),
    (b"POST", "/v3.0/oa/message/template"): Route(templates.to_user, codes.oa_error, limited=True),
    (b"POST", "/v3.0/oa/quota/message"): Route(official.quota_message, codes.oa_error, limited=True),
    (b"GET", "/v3.0/oa/user/detail"): _official(official.user_detail),
    (b"GET", "/v3.0/oa/user/getlist"): _official(official.user_list),
    (b"GET", "/v2.0/oa/getoa"): _official(official.getoa),
    **{(b"POST", path): Route(uploads.upload, codes.oa_error, limited=True) for path in uploads.KINDS},
}
