"""A real browser and the console's screens that it looks at."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.console import ServedDesk
from tests.support.console_screens import SCREENS

REPORTS_VIOLATIONS = """
  document.addEventListener("securitypolicyviolation", (event) =>
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI));
"""


@dataclass
class Stage:
    """A browser and the screens it looks at."""

    served: ServedDesk
    browser: Browser
    newest: str
    submission: str
    contexts: dict[Any, BrowserContext] = field(default_factory=dict)

    def context(self, language: str = "en", theme: str = "light", **given: Any) -> BrowserContext:
        """Give a context with choices made, the same for the same ones."""
        key = (language, theme, *given.items())
        if key not in self.contexts:
            made = self.browser.new_context(reduced_motion="reduce", **given)
            values = {"loa_language": language, "loa_theme": theme}
            made.add_cookies([{"name": n, "value": v, "url": self.served.url + "/console/"} for n, v in values.items()])
            made.add_init_script(REPORTS_VIOLATIONS)
            self.contexts[key] = made
        return self.contexts[key]

    def address(self, name: str) -> str:
        return self.served.url + SCREENS[name][0].format(newest=self.newest, submission=self.submission)


def resize(page: Page, width: int) -> None:
    """Make a page so wide, and wait until it is: the window gets there in steps, and is read in between otherwise."""
    page.set_viewport_size({"width": width, "height": 800})
    while page.evaluate("innerWidth") != width:
        page.evaluate("new Promise((drawn) => requestAnimationFrame(drawn))")
