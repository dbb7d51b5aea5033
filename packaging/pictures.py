"""Takes the pictures of the README: a demo with some traffic, and a browser that looks at it. `make pictures`."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, expect, sync_playwright

FOLDER: Final = Path(__file__).parent.parent / "docs" / "pictures"
SIZE: Final = {"width": 1280, "height": 800}
LANGUAGES: Final = ("vi", "en")
TEXTS: Final = (
    ("Ma xac thuc cua ban la 482913. Khong chia se ma nay.", 2),
    ("Đơn hàng #1042 đã được giao cho đơn vị vận chuyển.", 0),
    ("Cam on ban da mua hang tai Loa.", 0),
)
SUBMISSIONS: Final = 120
PREFIXES: Final = ("090", "091", "093", "096", "098")
THEMES: Final = {"phone": "light", "overview": "light", "message": "light", "send": "dark"}


def started(folder: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Start a demo; give it with what it says of itself."""
    command = [sys.executable, "-m", "loa", "demo", "--json", "--port", "0", "--data", str(folder)]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 our own program
    assert demo.stdout is not None
    return demo, json.loads(demo.stdout.readline())


def send(ready: dict[str, Any], body: dict[str, Any]) -> None:
    """Send as a program does."""
    headers = {"API-KEY": ready["apiKey"], "Content-Type": "application/json"}
    address = f"{ready['url']}/api/vendor/v1/sms/send-message"
    call = urllib.request.Request(address, json.dumps(body).encode(), headers)  # noqa: S310 our own demo
    with urllib.request.urlopen(call) as answer:  # noqa: S310
        answer.read()


def fill(ready: dict[str, Any]) -> None:
    """Send what a small shop sends, the same each time."""
    chance = random.Random(7)
    for number in range(SUBMISSIONS):
        text, kind = TEXTS[number % len(TEXTS)]
        count = chance.choice((1, 1, 1, 4))
        numbers = [f"{chance.choice(PREFIXES)}{chance.randrange(10**7):07d}" for _ in range(count)]
        own = {"destinations": numbers, "requestId": f"picture-{number}"}
        common = {"from": ready["sender"], "scheduled": "", "useUnicode": int(not text.isascii()), "type": kind}
        send(ready, {**common, "text": text, **own})
        if number % 10 == 0:
            send(ready, {**ready["zalo"]["example"], **own, "requestId": f"picture-zalo-{number}"})


def look(page: Page, ready: dict[str, Any], language: str) -> None:
    """Take all pictures in one language."""

    def shot(name: str) -> None:
        page.screenshot(path=FOLDER / f"{name}.{language}.png")

    def go(name: str, path: str) -> None:
        values, where = {"loa_language": language, "loa_theme": THEMES[name]}, f"{ready['url']}/console/"
        page.context.add_cookies([{"name": key, "value": value, "url": where} for key, value in values.items()])
        page.goto(ready["url"] + path)

    go("phone", "/console/phone")
    page.locator(".phone-send [name=number]").fill("0912345678")
    page.locator(".phone-send [name=text]").fill("Xin chào, đơn hàng của bạn đang đến.")
    page.locator(".phone-send .button.main").click()
    expect(page.locator(".bubble", has_text="đang đến").first).to_be_visible(timeout=20_000)
    expect(page.locator("tbody tr").first.locator(".mark.good")).to_be_visible(timeout=20_000)
    shot("phone")
    go("overview", "/console/?range=1h")
    expect(page.locator("canvas").first).to_be_visible()
    shot("overview")
    go("message", "/console/messages/msg_1")
    page.locator("form[action*=content] button").click()
    expect(page.locator(".content")).to_be_visible()
    shot("message")
    go("send", "/console/send")
    page.locator("[name=destinations]").fill("0912345678\n0968888999")
    page.locator("textarea[name=text]").fill(TEXTS[1][0])
    expect(page.locator("main mark").first).to_be_visible(timeout=20_000)
    shot("send")


def main() -> None:
    """Take the pictures."""
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser_path is None:
        sys.exit("no Chromium; install it with: sudo apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        demo, ready = started(Path(folder))
        try:
            fill(ready)
            alone = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = driver.chromium.launch(executable_path=browser_path, args=alone)
            page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
            page.goto(ready["console"])
            page.locator("form button").first.click()
            for language in LANGUAGES:
                look(page, ready, language)
            browser.close()
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(30)


if __name__ == "__main__":
    main()
