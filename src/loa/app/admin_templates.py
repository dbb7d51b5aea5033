"""What an admin does with registered templates: looks at them, says how they read as plain text, has them read anew."""

from collections.abc import Iterable, Mapping
from typing import Final

from loa.api.texts import Language, say
from loa.app.admin_channels import channel_named
from loa.app.admin_people import Name, Shown, instant
from loa.domain.rules import Finding
from loa.domain.template import Template
from loa.domain.template_match import Ambiguous, Match, NoMatch, match_text
from loa.domain.template_near import Nearest
from loa.domain.template_pattern import check_pattern, normalised
from loa.errors import CallerError, ConfigError, NotFound
from loa.ports.channel import Describes, Provider
from loa.ports.clock import Clock
from loa.ports.ledger import Ledger
from loa.ports.records import TemplateLook

TEXT_CHARS: Final = 4_000


class TemplateDesk:
    """Templates as the ledger holds them, and how the last look at each channel went."""

    def __init__(self, ledger: Ledger, clock: Clock, providers: Mapping[str, Provider]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._providers = providers

    async def list_templates(self, *, channel: Name | None = None) -> Shown:
        """List templates in short, and how each channel's last look went. Errors: NotFound."""
        wanted = None if channel is None else (await channel_named(self._ledger, channel)).id
        names = {each.id: each.name for each in await self._ledger.channels()}
        templates = [each for each in await self._ledger.templates() if wanted in (None, each.channel_id)]
        looks = [each for each in await self._ledger.template_looks() if wanted in (None, each.channel_id)]
        return {
            "templates": [_short(each, names.get(each.channel_id, str(each.channel_id))) for each in templates],
            "looks": [_look(each, names.get(each.channel_id, str(each.channel_id))) for each in looks],
        }

    async def show(self, *, channel: Name, template_id: str) -> Shown:
        """Show one template with its parameters. Errors: NotFound."""
        template = await self._template(channel, template_id)
        return {
            **_short(template, channel),
            "price": template.price,
            "priceToUser": template.price_to_user,
            "timeoutMs": template.timeout_ms or None,
            "dailyQuota": _known(template.daily_quota),
            "remainingQuota": _known(template.remaining_quota),
            "previewUrl": template.preview_url or None,
            "reason": template.reason or None,
            "parameters": [
                {
                    "name": each.name,
                    "kind": each.kind or None,
                    "required": each.required,
                    "acceptsEmpty": each.accepts_empty,
                    "minLength": each.min_length,
                    "maxLength": each.max_length or None,
                }
                for each in template.parameters
            ],
        }

    async def set_text(self, *, channel: Name, template_id: str, text: str) -> Shown:
        """Say how a template reads as plain text, "" for nothing. Errors: NotFound, CallerError naming a parameter."""
        template = await self._template(channel, template_id)
        wanted = normalised(text)
        if len(wanted) > TEXT_CHARS:
            raise CallerError("pattern", f"the text has {len(wanted)} characters, at most {TEXT_CHARS} are allowed")
        found = check_pattern(wanted, template.parameters) if wanted else ()
        if found:
            raise CallerError("pattern", f"{_said(found)} The template has: {_names(template)}")
        await self._ledger.set_template_text(template.channel_id, template.template_id, wanted)
        return {"channel": channel, "templateId": template.template_id, "name": template.name, "text": wanted or None}

    async def sync(self, *, channel: Name) -> Shown:
        """Have a channel's templates read anew by the Loa that runs it. Errors: NotFound, ConfigError."""
        record = await channel_named(self._ledger, channel)
        if not isinstance(self._providers.get(record.provider), Describes):
            raise ConfigError(f"the channel {channel} is of {record.provider}, which has no templates")
        await self._ledger.ask_template_look(record.id, self._clock.now())
        return {"channel": channel, "asked": True}

    async def match(self, *, channel: Name, text: str) -> Shown:
        """Say which template of a channel a plain text is, and with which values. Errors: NotFound."""
        record = await channel_named(self._ledger, channel)
        templates = tuple(each for each in await self._ledger.templates() if each.channel_id == record.id)
        match match_text(templates, text):
            case Match(template, data):
                return {"result": "match", **_named(template), "data": dict(data)}
            case Ambiguous() as several:
                return {"result": "ambiguous", "templates": [_named(each) for each in several.templates]}
            case NoMatch() as none:
                near = none.nearest
                shown = None if near is None else _near(near)
                return {"result": "none", "notEnabled": none.not_enabled or None, "nearest": shown}

    async def _template(self, channel: str, template_id: str) -> Template:
        record = await channel_named(self._ledger, channel)
        for template in await self._ledger.templates():
            if (template.channel_id, template.template_id) == (record.id, template_id):
                return template
        raise NotFound(f"channel {channel} has no template {template_id!r}; see: loa templates list {channel}")


def _short(template: Template, channel: str) -> Shown:
    problems = check_pattern(template.text, template.parameters) if template.text else ()
    return {
        "channel": channel,
        "templateId": template.template_id,
        "name": template.name,
        "status": template.status,
        "tag": None if template.tag is None else template.tag.name.lower(),
        "quality": template.quality or None,
        "text": template.text or None,
        "textProblem": _said(problems) or None,
        "syncedAt": instant(template.synced_at or None),
    }


def _look(look: TemplateLook, channel: str) -> Shown:
    return {
        "channel": channel,
        "doneAt": instant(look.done_at or None),
        "askedAt": instant(look.asked_at or None),
        "problem": look.problem or None,
    }


def _named(template: Template) -> Shown:
    return {"templateId": template.template_id, "name": template.name}


def _near(near: Nearest) -> Shown:
    return {
        **_named(near.template),
        "follows": near.at,
        "expected": near.expected or None,
        "problem": None if near.fault is None else _said((near.fault,)),
    }


def _said(found: Iterable[Finding]) -> str:
    return " ".join(say(each.code, Language.ENGLISH, each.values) for each in found)


def _names(template: Template) -> str:
    return ", ".join(f"<{each.name}>" for each in template.parameters) or "no parameters"


def _known(quota: int) -> int | None:
    return None if quota < 0 else quota
