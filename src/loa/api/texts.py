"""What the API says to people, in English and Vietnamese, by stable code. Both faces of the API speak from here.

A code says what is wrong; the text around it may be improved at any time, so programs test codes and statuses, never
texts. docs/reference/errors.md lists the codes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple


class Language(StrEnum):
    """A language the API speaks."""

    ENGLISH = "en"
    VIETNAMESE = "vi"


class Text(NamedTuple):
    """One text in both languages, with fields in braces."""

    en: str
    vi: str


DEFAULT_LANGUAGE: Final = Language.VIETNAMESE
"""What is spoken to callers who ask for neither, unless the settings say otherwise."""

# --- the one line that sums an answer up ---
SUMMARIES: Final[Mapping[str, Text]] = {
    "accepted": Text("Accepted.", "Đã tiếp nhận."),
    "repeated": Text(
        "This request was accepted before; nothing was sent again.",
        "Yêu cầu này đã được tiếp nhận trước đó; không gửi lại.",
    ),
    "report_stored": Text("Report stored.", "Đã lưu báo cáo."),
    "invalid_request": Text("The request is not valid.", "Yêu cầu không hợp lệ."),
    "unauthorised": Text("A valid API key is needed.", "Cần có API key hợp lệ."),
    "forbidden": Text("This API key may not do that.", "API key này không được phép thực hiện việc đó."),
    "not_found": Text("There is nothing here.", "Không tìm thấy tài nguyên."),
    "method_not_allowed": Text(
        "This method is not allowed here; use {allowed}.", "Phương thức không được phép; hãy dùng {allowed}."
    ),
    "internal": Text(
        "Something went wrong on our side. Quote the request id {request_id} when asking.",
        "Đã xảy ra lỗi phía hệ thống. Vui lòng gửi kèm mã yêu cầu {request_id} khi liên hệ.",
    ),
    "storage_unavailable": Text(
        "Requests cannot be taken just now; nothing was stored. Try again later.",
        "Tạm thời không thể tiếp nhận yêu cầu; chưa có gì được lưu. Vui lòng thử lại sau.",
    ),
    "storage_full": Text(
        "There is no room for more messages just now; nothing was stored. Try again later.",
        "Hệ thống tạm hết chỗ lưu tin; chưa có gì được lưu. Vui lòng thử lại sau.",
    ),
    "overloaded": Text(
        "Too many requests at once; nothing was stored. Try again shortly.",
        "Quá nhiều yêu cầu cùng lúc; chưa có gì được lưu. Vui lòng thử lại ngay sau đó.",
    ),
    "request_id_reused": Text(
        "This requestId was used before with another body.", "requestId này đã được dùng với nội dung khác."
    ),
}

# --- what can be wrong with a body as a whole ---
BODY: Final[Mapping[str, Text]] = {
    "body_media_type": Text(
        "Content-Type must be application/json in UTF-8.", "Content-Type phải là application/json, mã hóa UTF-8."
    ),
    "body_encoded": Text(
        "A compressed body is not read; send it as it is.", "Không đọc nội dung nén; hãy gửi nguyên bản."
    ),
    "body_too_large": Text("The body is larger than {limit} bytes.", "Nội dung lớn hơn {limit} byte."),
    "body_too_slow": Text(
        "The body did not arrive within {limit} seconds.", "Nội dung không đến đủ trong {limit} giây."
    ),
    "body_not_json": Text("The body is not valid JSON: {reason}.", "Nội dung không phải JSON hợp lệ: {reason}."),
    "body_not_object": Text("The body must be a JSON object.", "Nội dung phải là một đối tượng JSON."),
    "body_too_complex": Text("The body holds more than {limit} values.", "Nội dung chứa hơn {limit} giá trị."),
    "duplicate_key": Text("The member stands there more than once.", "Trường này xuất hiện nhiều lần."),
}

# --- what can be wrong with any field ---
FIELDS: Final[Mapping[str, Text]] = {
    "required": Text("This field is required.", "Trường này là bắt buộc."),
    "wrong_type": Text("This must be {expected}.", "Giá trị phải là {expected}."),
    "not_allowed": Text("This must be one of {allowed}.", "Giá trị phải là một trong {allowed}."),
    "empty": Text("This must not be empty.", "Không được để trống."),
    "too_long": Text("At most {limit} characters are allowed.", "Tối đa {limit} ký tự."),
    "too_many": Text("At most {limit} are allowed, {count} were given.", "Tối đa {limit}, đã gửi {count}."),
    "out_of_range": Text("This must be between {least} and {most}.", "Giá trị phải từ {least} đến {most}."),
    "contains_nul": Text("The character NUL (\\u0000) is not allowed.", "Không được chứa ký tự NUL (\\u0000)."),
    "unpaired_surrogate": Text(
        "Half of a surrogate pair is not a character.", "Nửa cặp surrogate không phải là ký tự."
    ),
    "not_printable": Text("Control characters are not allowed.", "Không được chứa ký tự điều khiển."),
    "not_finite": Text(
        "NaN, Infinity and numbers beyond their range are not JSON.",
        "NaN, Infinity và số vượt giới hạn không phải là JSON.",
    ),
    "too_deep": Text("This is nested more than {limit} levels deep.", "Lồng nhau quá {limit} cấp."),
    "too_large": Text("This is larger than {limit} bytes.", "Lớn hơn {limit} byte."),
}

# --- what can be wrong with a message ---
MESSAGES: Final[Mapping[str, Text]] = {
    "send_not_permitted": Text(
        "This API key may not send {traffic_class} messages.", "API key này không được gửi tin loại {traffic_class}."
    ),
    "sender_unknown": Text("The sender {sender} is not one of yours.", "Bạn không có đầu gửi {sender}."),
    "sender_not_for_key": Text("This API key may not send as {sender}.", "API key này không được gửi bằng {sender}."),
    "sender_form": Text(
        "The sender {sender} cannot be shown: at most {limit} plain letters, digits, spaces, dots or dashes.",
        "Đầu gửi {sender} không hiển thị được: tối đa {limit} chữ không dấu, số, dấu cách, chấm hoặc gạch.",
    ),
    "schedule_format": Text(
        "This is not a time that can be read. Accepted: {formats}.", "Không đọc được thời gian. Chấp nhận: {formats}."
    ),
    "schedule_too_far": Text("At most {days} days ahead are allowed.", "Chỉ được hẹn trước tối đa {days} ngày."),
    "outside_hours": Text(
        "Advertising waits for the allowed hours and leaves at {until}.",
        "Tin quảng cáo chờ đến khung giờ cho phép và được gửi lúc {until}.",
    ),
    "label_missing": Text(
        "Advertising must begin with one of {labels}.", "Tin quảng cáo phải bắt đầu bằng một trong {labels}."
    ),
    "too_many_segments": Text(
        "The text needs {count} segments, at most {limit} are allowed.",
        "Nội dung cần {count} phần tin, tối đa {limit}.",
    ),
    "text_empty": Text("The text is empty.", "Nội dung trống."),
    "text_too_long": Text(
        "The text needs {count} segments, at most {limit} are allowed.",
        "Nội dung cần {count} phần tin, tối đa {limit}.",
    ),
    "text_not_plain": Text(
        "With useUnicode 0 only plain characters are sent. Not plain: {characters}.",
        "Với useUnicode 0 chỉ gửi ký tự không dấu. Ký tự không hợp lệ: {characters}.",
    ),
    "text_not_foldable": Text(
        "With useUnicode 2 these characters have no plain form: {characters}.",
        "Với useUnicode 2 các ký tự sau không chuyển được sang không dấu: {characters}.",
    ),
    "text_not_in_alphabet": Text(
        "These characters cannot be sent: {characters}.", "Không gửi được các ký tự: {characters}."
    ),
    "text_unsendable": Text(
        "These characters can never be sent: {characters}.", "Không bao giờ gửi được các ký tự: {characters}."
    ),
    "text_forbidden_character": Text(
        "The channel does not carry these characters: {characters}.",
        "Kênh gửi không chấp nhận các ký tự: {characters}.",
    ),
    "no_route": Text(
        "No route leads there for this sender and type.", "Chưa có tuyến gửi cho đầu gửi và loại tin này."
    ),
    "user_id_form": Text(
        "This is no user id: write zalo: and the digits of the id.",
        "Đây không phải mã người dùng: ghi zalo: rồi đến dãy số.",
    ),
    "one_destination": Text(
        "A user id stands for one destination: give exactly one.",
        "Mã người dùng chỉ dùng cho một người nhận: chỉ ghi đúng một số nhận.",
    ),
    "no_destination": Text("No valid destination is left.", "Không còn số nhận hợp lệ."),
    "channel_unknown": Text("There is no such channel for this sender.", "Không có kênh này cho đầu gửi."),
    "url_form": Text(
        "This must be a full http or https URL without user name.",
        "Phải là URL http hoặc https đầy đủ, không kèm tên người dùng.",
    ),
    "url_refused": Text("Callbacks may not go there: {reason}.", "Không được gửi callback đến địa chỉ này: {reason}."),
    "no_reporting_channel": Text(
        "No channel of yours takes reports here.", "Không có kênh nào của bạn nhận báo cáo tại đây."
    ),
    "channel_choose": Text(
        "Several channels take reports; name one with ?channel=.",
        "Có nhiều kênh nhận báo cáo; hãy chọn bằng ?channel=.",
    ),
    "report_unreadable": Text("This report cannot be read.", "Không đọc được báo cáo này."),
}

# --- what can be wrong with a destination ---
NUMBERS: Final[Mapping[str, Text]] = {
    "number_malformed": Text("Not a phone number: {detail}.", "Không phải số điện thoại."),
    "number_length": Text("Too short or too long: {detail}.", "Số quá ngắn hoặc quá dài."),
    "number_prefix_unknown": Text("No carrier has this prefix: {detail}.", "Không có nhà mạng nào dùng đầu số này."),
    "number_moved_2018": Text(
        "An eleven-digit number from before 2018: {detail}.", "Số 11 chữ số cũ; đầu số đã đổi từ năm 2018."
    ),
    "number_fixed_line": Text("A fixed line takes no SMS.", "Số cố định không nhận được SMS."),
    "number_short_code": Text("A short code is no destination.", "Không gửi được đến đầu số ngắn."),
    "number_service": Text("A 1800 or 1900 number is no destination.", "Không gửi được đến số 1800 hoặc 1900."),
    "number_country_not_allowed": Text(
        "Numbers of this country are not open for sending.", "Chưa mở gửi đến số của quốc gia này."
    ),
    "number_not_mobile": Text("Not a mobile number: {detail}.", "Không phải số di động."),
    "number_invalid": Text("No such number can exist: {detail}.", "Số không hợp lệ."),
}

# --- what can be wrong with a template message, or a message to a user ---
TEMPLATES: Final[Mapping[str, Text]] = {
    "template_unknown": Text("The channel has no template {template}.", "Kênh gửi không có mẫu tin {template}."),
    "template_not_enabled": Text(
        "The template {template} may not be sent, it is {status}.",
        "Mẫu tin {template} chưa được phép gửi, trạng thái: {status}.",
    ),
    "template_promotion": Text(
        "The template {template} is a promotion and goes with advertising only.",
        "Mẫu tin {template} thuộc loại khuyến mại, chỉ gửi được với loại tin quảng cáo.",
    ),
    "template_not_to_users": Text(
        "The template {template} goes to phone numbers only, not to user ids.",
        "Mẫu tin {template} chỉ gửi được theo số điện thoại, không theo user id.",
    ),
    "template_no_match": Text(
        "The text is none of the channel's templates.", "Nội dung không khớp mẫu tin nào của kênh."
    ),
    "template_idle": Text(
        "The text is the template {template}, which may not be sent now.",
        "Nội dung khớp mẫu tin {template}, nhưng mẫu này hiện chưa được phép gửi.",
    ),
    "template_ambiguous": Text(
        "The text fits several templates: {templates}. Name one with ext.templateId.",
        "Nội dung khớp nhiều mẫu tin: {templates}. Hãy chỉ định bằng ext.templateId.",
    ),
    "pattern_unknown": Text(
        "The text names <{parameter}>, which the template does not have.",
        "Nội dung có <{parameter}> nhưng mẫu tin không có tham số này.",
    ),
    "pattern_missing": Text(
        "The text lacks <{parameter}>, which the template requires.",
        "Nội dung thiếu <{parameter}>, là tham số bắt buộc của mẫu tin.",
    ),
    "pattern_touching": Text(
        "<{parameter}> and <{next}> touch: put something between them.",
        "<{parameter}> và <{next}> dính liền nhau: cần có chữ ở giữa.",
    ),
    "pattern_bare": Text(
        "The text is nothing but parameters: every text would match it.",
        "Nội dung chỉ gồm tham số nên tin nào cũng khớp.",
    ),
    "parameter_unknown": Text(
        "The template has no parameter {parameter}. Did you mean: {known}?",
        "Mẫu tin không có tham số {parameter}. Có phải ý bạn là: {known}?",
    ),
    "parameter_missing": Text("The parameter {parameter} is missing.", "Thiếu tham số {parameter}."),
    "parameter_empty": Text("The parameter {parameter} must not be empty.", "Tham số {parameter} không được để trống."),
    "parameter_too_short": Text(
        "The parameter {parameter} has {length} characters, at least {limit} are needed.",
        "Tham số {parameter} có {length} ký tự, cần ít nhất {limit}.",
    ),
    "parameter_too_long": Text(
        "The parameter {parameter} has {length} characters, at most {limit} are allowed.",
        "Tham số {parameter} có {length} ký tự, tối đa {limit}.",
    ),
    "parameter_no_date": Text(
        "The parameter {parameter} must be a time or a date, for instance 31/12/2026.",
        "Tham số {parameter} phải là giờ hoặc ngày, ví dụ 31/12/2026.",
    ),
    "parameter_spaced": Text(
        "The parameter {parameter} must not begin or end with a space.",
        "Tham số {parameter} không được bắt đầu hoặc kết thúc bằng dấu cách.",
    ),
    "parameter_unequal": Text(
        "The parameter {parameter} stands in two places with different values.",
        "Tham số {parameter} xuất hiện ở hai nơi với giá trị khác nhau.",
    ),
    "zalo_one_content": Text(
        "Give a template or a message, not both.", "Chỉ gửi mẫu tin hoặc tin nhắn, không gửi cả hai."
    ),
    "zalo_users_only": Text(
        "A message of the Official Account goes to a user: give ext.zalo.userId.",
        "Tin của Official Account chỉ gửi được đến người dùng: hãy điền ext.zalo.userId.",
    ),
    "zalo_numbers_only": Text(
        "journeyToken, mode and sendingMode are for phone numbers only.",
        "journeyToken, mode và sendingMode chỉ dùng khi gửi theo số điện thoại.",
    ),
    "zalo_sending_mode": Text(
        "sendingMode 3 is for promotion templates only, {template} is none.",
        "sendingMode 3 chỉ dùng cho mẫu tin khuyến mại, {template} không phải loại này.",
    ),
    "zalo_user_id": Text("This is no user id: digits only.", "Không phải user id: chỉ gồm chữ số."),
    "zalo_journey_token": Text(
        "This is no journey token: up to {limit} plain characters.",
        "Không phải journey token: tối đa {limit} ký tự không dấu.",
    ),
    "zalo_message_form": Text("Give exactly one of {allowed}.", "Chỉ được điền đúng một trong {allowed}."),
}

CATALOGUE: Final[Mapping[str, Text]] = {**SUMMARIES, **BODY, **FIELDS, **MESSAGES, **NUMBERS, **TEMPLATES}
"""Every text by code."""

_VIETNAM: Final = timezone(timedelta(hours=7))


class _Values(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def say(code: str, language: Language, values: Mapping[str, object] | None = None) -> str:
    """Give the text of a code; the code itself where there is none.

    Units: a value named `until` is milliseconds since the epoch and is shown as a time in Vietnam.
    """
    text = CATALOGUE.get(code)
    if text is None:
        return code
    template = text.vi if language is Language.VIETNAMESE else text.en
    if not values:
        return template if "{" not in template else template.format_map(_Values())
    return template.format_map(_Values({name: _shown(name, value) for name, value in values.items()}))


def _shown(name: str, value: object) -> object:
    if name == "until" and isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, UTC).astimezone(_VIETNAM).isoformat(timespec="minutes")
    return value


@lru_cache(maxsize=512)
def language_of(accept_language: bytes, default: Language = DEFAULT_LANGUAGE) -> Language:
    """Choose the language for an Accept-Language header; `default` when it asks for neither.

    Source: RFC 9110 section 12.5.4.
    """
    best, choice = 0.0, default
    for part in accept_language.decode("latin-1").lower().split(",")[:32]:
        tag, _, parameters = part.partition(";")
        primary = tag.strip().partition("-")[0]
        weight = _weight(parameters)
        if primary in {"en", "vi"} and weight > best:
            best, choice = weight, Language(primary)
    return choice


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
