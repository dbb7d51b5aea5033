"""The Official Account side: consultation messages, users, quota.

Source: Zalo reference, section 4 and 7.2.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from unicodedata import normalize

from loa.simulators.zalo import notices
from loa.simulators.zalo.exchange import Exchange
from loa.simulators.zalo.judge import Subject
from loa.simulators.zalo.platform import Case, Payload, Platform, Refusal, success
from loa.simulators.zalo.reading import bearer, body_of, text_in
from loa.simulators.zalo.state import HOUR_MS, Message, OaState, UserState

BAD_TOKEN: Final = -216
OLD_TOKEN: Final = -220
WRONG: Final = -201
OVER_LIMIT: Final = -210
OLD_ASSET: Final = -100
NO_QUOTA: Final = -211
NO_INTERACTION: Final = -230
TEXT_MAX: Final = 2_000
FREE_MS: Final = 48 * HOUR_MS
WINDOW_MS: Final = 7 * 24 * HOUR_MS
OFFSET_MAX: Final = 9_951
COUNT_MAX: Final = 50

Values = Mapping[str, Any]


def consultation(platform: Platform, exchange: Exchange) -> Case:
    """Read a message to a user."""
    body = body_of(exchange)
    whom = body.get("recipient")
    user_id = text_in(whom, "user_id") if isinstance(whom, dict) else ""
    case = Case(Subject("consultation", user_id, key=user_id))
    with case:
        oa = case.oa = bearer(platform, exchange, BAD_TOKEN, OLD_TOKEN)
        user = oa.users.get(user_id)
        if user is None:
            raise Refusal(WRONG, "user_id is invalid")
        rich = body.get("message")
        if not isinstance(rich, dict):
            raise Refusal(WRONG, "message is missing")
        kind, text = _read(platform, oa, rich)
        billable = _window(platform, oa, user)
        now = platform.clock.now()
        message = Message("", oa, "consultation", user_id, "", now, text=text, kind=kind, rich=rich)
        case.commit = partial(_accept, platform, case, message, billable=billable)
    return case


def _window(platform: Platform, oa: OaState, user: UserState) -> bool:
    """Say whether a message now is charged. Errors: Refusal when it may not be sent."""
    since = platform.clock.now() - user.last_interaction
    if since > WINDOW_MS:
        raise Refusal(NO_INTERACTION)
    if since <= FREE_MS:
        return False
    if oa.consultations <= 0:
        raise Refusal(NO_QUOTA)
    return True


def _read(platform: Platform, oa: OaState, message: Values) -> tuple[str, str]:
    """Check the content; give what it is and how it reads."""
    text = message.get("text", "")
    if not isinstance(text, str):
        raise Refusal(WRONG, "text is invalid")
    if len(normalize("NFC", text)) > TEXT_MAX:
        raise Refusal(OVER_LIMIT, f"text is longer than {TEXT_MAX}")
    attachment = message.get("attachment")
    if attachment is None:
        if not text:
            raise Refusal(WRONG, "text is empty")
        return "text", text
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if not isinstance(payload, dict):
        raise Refusal(WRONG, "attachment is invalid")
    match attachment.get("type"), payload.get("template_type"):
        case "file", _:
            _check_asset(platform, oa, text_in(payload, "token"), file=True)
            return "file", text or "[file]"
        case "template", "media":
            kind = _read_media(platform, oa, _only_element(payload))
            return kind, text or f"[{kind}]"
        case "template", "request_user_info":
            element = _only_element(payload)
            if not all(text_in(element, name) for name in ("title", "subtitle", "image_url")):
                raise Refusal(WRONG, "elements is invalid")
            return "request_user_info", f"{element['title']}: {element['subtitle']}"
        case _:
            raise Refusal(WRONG, "attachment is invalid")


def _only_element(payload: Values) -> Values:
    elements = payload.get("elements")
    if not isinstance(elements, list) or len(elements) != 1 or not isinstance(elements[0], dict):
        raise Refusal(WRONG, "elements is invalid")
    return elements[0]


def _read_media(platform: Platform, oa: OaState, element: Values) -> str:
    kind, url, attachment_id = (text_in(element, name) for name in ("media_type", "url", "attachment_id"))
    if kind not in ("image", "gif", "sticker"):
        raise Refusal(WRONG, "media_type is invalid")
    if bool(url) == bool(attachment_id) or (kind == "sticker" and url):
        raise Refusal(WRONG, "either url or attachment_id")
    if kind == "gif" and not (_is_size(element.get("width")) and _is_size(element.get("height"))):
        raise Refusal(WRONG, "a gif needs width and height")
    # A sticker is Zalo's own and was never uploaded.
    if attachment_id and kind != "sticker":
        _check_asset(platform, oa, attachment_id, file=False)
    return kind


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _check_asset(platform: Platform, oa: OaState, asset_id: str, *, file: bool) -> None:
    asset = oa.assets.get(asset_id)
    if asset is None or asset.file is not file:
        raise Refusal(WRONG, "token is invalid" if file else "attachment_id is invalid")
    if platform.clock.now() >= asset.made_at + platform.script.asset_life_s * 1000:
        raise Refusal(OLD_ASSET)


def _accept(platform: Platform, case: Case, message: Message, *, billable: bool) -> Payload:
    oa = message.oa
    oa.consultations -= billable
    message.message_id = platform.new_id()
    platform.remember(message)
    case.message = message
    case.line = {
        "kind": "send",
        "at": message.at,
        "surface": message.surface,
        "oaId": oa.told.oa_id,
        "destination": message.destination,
        "message": message.rich,
        "msgId": message.message_id,
        "code": 0,
    }
    if platform.script.echoes:
        name = f"oa_send_{'template' if message.kind == 'request_user_info' else message.kind}"
        said = {"msg_id": message.message_id, "text": message.text}
        case.events.append((notices.from_oa(oa, message.destination, name, message.at, message=said), False))
    data = {"message_id": message.message_id, "user_id": message.destination}
    return success({**data, "quota": {"quota_type": "sub_quota", "remain": str(oa.consultations)}})


def getoa(_: Platform, oa: OaState, __: Values) -> Payload:
    """Answer with who the Official Account is."""
    return success(
        {
            "oa_id": oa.told.oa_id,
            "name": oa.told.name,
            "description": "",
            "is_verified": True,
            "oa_type": 2,
            "num_follower": sum(each.follower for each in oa.users.values()),
            "package_name": "Nâng cao",
            "package_valid_through_date": "31/12/2027",
            "linked_ZCA": "",
            "avatar": "https://shop.example/a.png",
            "cover": "https://shop.example/b.png",
        }
    )


def user_detail(_: Platform, oa: OaState, values: Values) -> Payload:
    """Answer with who a user is."""
    user = oa.users.get(str(values.get("user_id", "")))
    if user is None:
        raise Refusal(WRONG, "user_id is invalid")
    last = datetime.fromtimestamp(user.last_interaction / 1000, UTC) + timedelta(hours=7)
    return success(
        {
            "user_id": user.told.user_id,
            "user_id_by_app": user.told.by_app,
            "user_external_id": "",
            "display_name": user.told.name,
            "user_alias": user.told.name,
            "avatar": "https://shop.example/a.png",
            "avatars": {"120": "https://shop.example/a.png"},
            "user_is_follower": user.follower,
            "user_last_interaction_date": f"{last:%d/%m/%Y}",
            "tags_and_notes_info": {"notes": [], "tag_names": []},
            "shared_info": {"name": "", "phone": ""},
        }
    )


def user_list(_: Platform, oa: OaState, values: Values) -> Payload:
    """Answer with a page of ids."""
    offset, count = values.get("offset", 0), values.get("count", COUNT_MAX)
    if not isinstance(offset, int) or not isinstance(count, int) or offset > OFFSET_MAX or count > COUNT_MAX:
        raise Refusal(OVER_LIMIT)
    follower = {"true": True, "false": False}.get(str(values.get("is_follower", "")).lower())
    found = [each.told.user_id for each in oa.users.values() if follower in (None, each.follower)]
    return success({"total": len(found), "users": [{"user_id": each} for each in found[offset : offset + count]]})


def quota_message(platform: Platform, exchange: Exchange) -> Case:
    """Read the question what may still be sent, to one user or in all."""
    body = body_of(exchange)
    case = Case(Subject("reading", text_in(body, "user_id")))
    with case:
        case.oa = bearer(platform, exchange, BAD_TOKEN, OLD_TOKEN)
        case.commit = partial(dict, _quota(platform, case.oa, body))
    return case


def _quota(platform: Platform, oa: OaState, body: Values) -> Payload:
    if "user_id" in body:
        user = oa.users.get(text_in(body, "user_id"))
        if user is None:
            raise Refusal(WRONG, "user_id is invalid")
        within = platform.clock.now() - user.last_interaction <= FREE_MS
        return success(
            {
                "last_interaction": user.last_interaction,
                "cs_reply": {"remain": 8 if within else 0, "total": 8},
                "promotion": {"remain": 1, "total": 1},
            }
        )
    owner, product, kind = (text_in(body, name) for name in ("quota_owner", "product_type", "quota_type"))
    if owner not in ("OA", "App") or product not in ("cs", "transaction"):
        raise Refusal(WRONG, "quota_owner or product_type is invalid")
    if kind not in ("sub_quota", "purchase_quota", "reward_quota"):
        raise Refusal(WRONG, "quota_type is invalid")
    asset = {"quota_owner": owner, "product_type": product, "quota_type": kind, "asset_id": f"{oa.told.oa_id}-{kind}"}
    return success([{**asset, "remain": oa.consultations, "total": oa.told.consultation_quota}])
