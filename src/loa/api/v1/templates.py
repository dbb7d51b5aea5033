"""Templates of the channels that a tenant's routes lead over: what their providers have approved, and their texts."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query
from pydantic import Field

from loa.api.v1.cursors import CursorKind, read_cursor, write_cursor
from loa.api.v1.models import Cursor, Instant, Wire
from loa.api.v1.parts import Page, PartsHere, Reader
from loa.domain import template as domain
from loa.domain.callback_body import utc_text

router = APIRouter()

StatusName = Literal["enabled", "pending", "rejected", "disabled", "deleted"]
TagName = Literal["transaction", "care", "promotion"]


class Parameter(Wire):
    """One parameter of a template. Lengths are in characters after NFC."""

    name: str
    kind: str | None = Field(description="What the provider calls it, for instance `date`.")
    required: bool
    accepts_empty: bool
    min_length: int
    max_length: int | None = Field(description="Null for no limit.")


class Template(Wire):
    """One template of one channel, as its provider described it last."""

    channel: str
    template_id: str = Field(description="What `ext.templateId` takes.")
    name: str
    status: StatusName = Field(description="Only an enabled one is sent.")
    tag: TagName | None = Field(description="What it may be used for; null when the provider named nothing.")
    quality: str | None = Field(description="high, medium or low.")
    text: str | None = Field(description="How it reads as plain text, with `<name>` for each parameter.")
    parameters: list[Parameter]
    price: int = Field(description="To a number, in VND; 0 when nobody has said.")
    price_to_user: int = Field(description="To a user id, in VND; 0 when it does not go there.")
    daily_quota: int | None = Field(description="How many a day, where the template has a quota of its own.")
    remaining_quota: int | None
    preview_url: str | None
    reason: str | None = Field(description="Why the provider refused it.")
    synced_at: Instant = Field(description="When it was last read from the provider.")


class Templates(Wire):
    """A page of templates, by channel and id."""

    templates: list[Template]
    next_cursor: Cursor


class TemplateQuery(Page):
    """Narrow the list; what is left out matches everything."""

    channel: str = Field(default="", max_length=100)
    status: StatusName | None = None


@router.get("/templates", operation_id="listTemplates", tags=["Templates"])
async def list_templates(parts: PartsHere, caller: Reader, wanted: Annotated[TemplateQuery, Query()]) -> Templates:
    """List the templates of the channels that the tenant's routes lead over.

    One that is registered while a list is read page by page may make another appear twice, and hides none.
    """
    position = read_cursor(CursorKind.TEMPLATES, wanted.cursor) or 0
    routed = {channel_id for route in caller.view.routes for channel_id in route.channels}
    names = {each.id: each.name for each in await parts.ledger.channels() if each.id in routed}
    found = [
        each
        for each in await parts.ledger.templates()
        if each.channel_id in names
        and wanted.channel in ("", names[each.channel_id])
        and wanted.status in (None, each.status)
    ]
    # Ids are numbers where the provider is Zalo; so ordered, those that come later come last.
    found.sort(key=lambda each: (each.channel_id, len(each.template_id), each.template_id))
    end = position + wanted.limit
    return Templates(
        templates=[_shown(each, names[each.channel_id]) for each in found[position:end]],
        next_cursor=write_cursor(CursorKind.TEMPLATES, end) if end < len(found) else None,
    )


def _shown(one: domain.Template, channel: str) -> Template:
    return Template(
        channel=channel,
        template_id=one.template_id,
        name=one.name,
        status=cast("StatusName", one.status),
        tag=None if one.tag is None else cast("TagName", one.tag.name.lower()),
        quality=one.quality or None,
        text=one.text or None,
        parameters=[_parameter(each) for each in one.parameters],
        price=one.price,
        price_to_user=one.price_to_user,
        daily_quota=None if one.daily_quota < 0 else one.daily_quota,
        remaining_quota=None if one.remaining_quota < 0 else one.remaining_quota,
        preview_url=one.preview_url or None,
        reason=one.reason or None,
        synced_at=utc_text(one.synced_at),
    )


def _parameter(one: domain.Parameter) -> Parameter:
    return Parameter(
        name=one.name,
        kind=one.kind or None,
        required=one.required,
        accepts_empty=one.accepts_empty,
        min_length=one.min_length,
        max_length=one.max_length or None,
    )
