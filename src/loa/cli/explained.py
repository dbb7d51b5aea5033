"""What the dry run said, for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from loa.cli.terminal import Terminal, words

NO_MATCH: Final = "template_no_match"


def show_explained(terminal: Terminal, said: Mapping[str, Any]) -> None:
    """Show an answer of `/api/v1/explain`: the text, where it goes, step by step, and what stands against it."""
    terminal.fields(_whole(said))
    terminal.rows([_destination(each) for each in said["destinations"]], _DESTINATION, "no destination")
    steps = list(_steps(said["destinations"]))
    if steps:
        terminal.rows(steps, _STEP, "")
    for line in _against(said):
        terminal.text(line)


_DESTINATION = {"written": "NUMBER", "msisdn": "READ AS", "carrier": "CARRIER", "route": "ROUTE", "note": "NOTE"}
_STEP = {
    "numbers": "FOR",
    "step": "STEP",
    "channel": "CHANNEL",
    "silent": "SILENT AFTER",
    "price": "PRICE",
    "sends": "SENDS",
}


def _whole(said: Mapping[str, Any]) -> Mapping[str, Any]:
    text = said["text"] or {}
    forcing = [f"{each['character']} ({each['codepoint']})" for each in text.get("forcing", ())]
    return {
        "accepted": said["wouldBeAccepted"],
        "class": said["class"],
        "due": said["dueAt"],
        "expires": said["expiresAt"],
        "encoding": text.get("encoding"),
        "segments": text.get("segmentCount"),
        "forces Unicode": ", ".join(forcing[:10]) or None,
    }


def _destination(said: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**said, "route": " then ".join(said["route"]), "note": (said["finding"] or {}).get("detail")}


def _steps(destinations: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Show each route plan once, however many numbers have it."""
    plans: list[tuple[list[Mapping[str, Any]], list[str]]] = []
    for each in destinations:
        if not each["steps"]:
            continue
        known = next((numbers for steps, numbers in plans if steps == each["steps"]), None)
        if known is None:
            known = []
            plans.append((each["steps"], known))
        known.append(each["written"])
    for steps, numbers in plans:
        more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
        for number, step in enumerate(steps, 1):
            yield {
                "numbers": f"{numbers[0]}{more}" if number == 1 else "",
                "step": number,
                "channel": step["channel"],
                "silent": _silent(step["silentAfterS"]),
                "price": _price(step["price"], on_delivery=step["onDelivery"]),
                "sends": _sends(step["content"]),
            }


def _silent(seconds: int | None) -> str:
    return "never" if seconds is None else f"{seconds} s"


def _price(price: int, *, on_delivery: bool) -> str:
    if not price:
        return "-"
    return f"{price} VND" + (" if delivered" if on_delivery else "")


def _sends(content: Mapping[str, Any]) -> str:
    if not content:
        return "the text"
    if content.get("form") != "template":
        return f"a message of the account: {words(content.get('form'))}"
    found = "found by the text" if content.get("by") == "text" else "named by the request"
    trial = ", as a trial" if content.get("mode") else ""
    name = f"{content.get('name') or 'template'} ({content['template']})"
    return f"{name}, {found}{trial}: {words(dict(content.get('data') or {}))}"


def _against(said: Mapping[str, Any]) -> Iterator[str]:
    for finding in (*said["denied"], *said["findings"]):
        yield f"refused: {finding['pointer']} {finding['detail']}"
    for channel, findings in said["leftOut"].items():
        for finding in findings:
            # What the whole request is refused for has been said.
            if finding not in said["findings"]:
                cure = " See how far it goes: loa templates match" if finding["code"] == NO_MATCH else ""
                yield f"left out: {channel}: {finding['detail']}{cure}"
    for verdict in said["verdicts"]:
        if verdict["finding"] is not None:
            yield f"{verdict['effect']}: {verdict['rule']}: {verdict['finding']['detail']}"
