"""Adding a channel: choose what it is of, say what it needs, try it, keep it, and see what comes next."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loa.console.catalogue import has, said
from loa.console.channel import WRONG, failed, provider_of, trial_of
from loa.console.channel_forms import boxes, read_fields, texts_of
from loa.console.channels import address_of
from loa.console.pages import link, render
from loa.console.parts import Parts
from loa.console.place import place_of

PATH: Final = "/console/add-channel"


async def wizard(request: Request, parts: Parts) -> Response:
    """Show what a channel can be of; once that is chosen, its form."""
    chosen = request.query_params.get("provider", "")
    offered = await parts.acts.read("channels.providers")
    if chosen in {each["name"] for each in offered}:
        return await _form(request, parts, chosen)
    place = await place_of(request, parts)
    language = request.state.language
    shown = [
        {
            "name": each["name"],
            "title": said(language, key) if has(key) else each["name"],
            "about": said(language, f"{key}.about") if has(f"{key}.about") else "",
        }
        for each in offered
        for key in (f"provider.{each['name']}",)
    ]
    return render(request, "add_channel.html", **place.values(), offered=shown, path=PATH)


async def add(request: Request, parts: Parts) -> Response:
    """Keep a new channel, or try it first."""
    form, language = request.state.form, request.state.language
    chosen = form.get("provider", "")
    declared = (await provider_of(parts, chosen))["settings"]
    settings, _ = read_fields(form, declared)
    name = form.get("name", "").strip()
    try:
        if form.get("do") == "try":
            tried = await parts.acts.do(request, "channels.try", provider=chosen, settings=settings)
            return await _form(request, parts, chosen, trial=trial_of(tried, language))
        if not name:
            return await _form(request, parts, chosen, nameless=True)
        await parts.acts.do(request, "channels.add", name=name, provider=chosen, settings=settings)
    except WRONG as error:
        return await _form(request, parts, chosen, trial=failed(error, language, declared))
    place = await place_of(request, parts)
    return RedirectResponse(link(address_of(name), added="1", tenant=place.named), 303)


async def _form(
    request: Request, parts: Parts, chosen: str, trial: Mapping[str, Any] | None = None, *, nameless: bool = False
) -> Response:
    place, language = await place_of(request, parts), request.state.language
    provider = await provider_of(parts, chosen)
    sent = {field.removeprefix("set."): text for field, text in request.state.form.items()}
    wrong = trial["wrong"] if trial else {}
    values = sent if request.method == "POST" else texts_of({}, provider["settings"])
    key = f"provider.{chosen}"
    return render(
        request,
        "add_channel_form.html",
        status=422 if wrong or nameless else 200,
        **place.values(),
        back=link(PATH, provider=chosen, tenant=place.named),
        path=PATH,
        provider=provider,
        title=said(language, key) if has(key) else chosen,
        name=sent.get("name", ""),
        wrong_name=said(language, "wizard.name.missing") if nameless else "",
        boxes=boxes(provider, language, values, wrong=wrong),
        trial=trial,
    )
