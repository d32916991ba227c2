"""``python -m demo.picture [folder]``: the pictures of the README, from a demonstration's own pages and messages."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from catalogue import causes
from catalogue.drift import NULL_SHARE
from ledger.records.incidents import Incident
from ledger.records.messages import Message
from ledger.store import Ledger
from reports.writing import file_name

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).resolve().parent.parent
console = Console(highlight=False, soft_wrap=True)
IMAGES = REPOSITORY / "docs" / "images"
CHROMIUM = Path("/usr/bin/chromium")
WIDE, PHONE = 1400, 430
"""Widths in pixels of a page and of a message."""

EMOJI_COLOURS = {"🔴": "#dd2e44", "🟠": "#f4900c", "✅": "#77b255", "⚪": "#ccd6dd"}

_CODE_OR_LINK = re.compile(r"`([^`]+)`|<([^|>]+)\|([^>]+)>|\*([^*\n]+)\*")
_STYLE = """
body { margin: 0; padding: 14px 16px; background: #fff; color: #1d1c1d; font: 15px/1.46 Lato, system-ui, sans-serif; }
.who { display: flex; gap: 8px; align-items: baseline; font-weight: 700; }
.who small { font: 600 10px/1 sans-serif; color: #616061; background: #ececec; border-radius: 2px; padding: 2px 3px; }
.dot { display: inline-block; width: 16px; height: 16px; border-radius: 50%; vertical-align: -2px; }
h3 { font-size: 18px; line-height: 1.3; margin: 6px 0 8px; }
p { margin: 0 0 8px; overflow-wrap: anywhere; }
.context { font-size: 13px; color: #616061; }
.context > span { display: block; }
.actions button, .actions .button { color: inherit; display: inline-block; margin: 4px 8px 0 0; padding: 5px 12px;
  border: 1px solid #bbb; border-radius: 4px; background: #fff;
  font: inherit; font-weight: 600; }
code { font: 12px/1.5 ui-monospace, Menlo, Consolas, monospace; color: #c01343; background: #f8f8f8;
  border: 1px solid #ddd; border-radius: 3px; padding: 1px 3px; }
a { color: #1264a3; text-decoration: none; }
"""


@dataclass(frozen=True)
class Screenshot:
    """A picture to take: of which page, at which size in pixels."""

    name: str
    page: Path
    width: int
    height: int | None
    """None for as high as the page is."""


def screenshots_to_take(folder: Path) -> Iterator[Screenshot]:
    """Yield the pictures of a demonstration's folder, of the model that decays and the feed that lost its values."""
    site = folder / "site"
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
    try:
        incidents = ledger.incidents()
        decayed = _only_incident_of(incidents, causes.PERFORMANCE_DECAY)
        flood = next(i for i in incidents if any(f"/{NULL_SHARE}/" in figure for figure in i.figures))
        message = ledger.messages(flood.id)[-1]
    finally:
        ledger.close()
    card = folder / "message.html"
    card.write_text(render_slack_page(message), encoding="utf-8")
    yield Screenshot("fleet", site / "index.html", WIDE, None)
    yield Screenshot("model", site / "models" / decayed.model / "index.html", WIDE, 1150)
    yield Screenshot("incident", site / decayed.page, WIDE, 960)
    yield Screenshot("message", card, PHONE, None)
    feature = site / "models" / flood.model / "features" / f"{file_name(flood.feature)}.html"
    if feature.exists():  # not where nothing was measured yet
        yield Screenshot("feature", feature, WIDE, 900)


def _only_incident_of(incidents: Sequence[Incident], cause: str) -> Incident:
    (found,) = [incident for incident in incidents if incident.cause == cause]
    return found


def render_slack_page(message: Message) -> str:
    """Return a message's blocks as a small page that looks as Slack shows them on a phone."""
    blocks = "".join(_render_block(block) for block in message.blocks)
    who = '<div class="who">Watchkeeper <small>APP</small></div>'
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{_STYLE}</style><body>{who}{blocks}</body></html>'
    )


def _render_block(block: dict[str, Any]) -> str:
    if block["type"] == "header":
        return f"<h3>{_emoji_as_dots(html.escape(block['text']['text']))}</h3>"
    if block["type"] == "context":
        return "".join(f'<p class="context">{_render_mrkdwn(element["text"])}</p>' for element in block["elements"])
    if block["type"] == "actions":
        return f'<p class="actions">{"".join(_render_button(element) for element in block["elements"])}</p>'
    return f"<p>{_render_mrkdwn(block['text']['text'])}</p>"


def _render_button(element: dict[str, Any]) -> str:
    """Return a button that knows what Slack would be sent when it is pressed, or a link that looks like one."""
    label = html.escape(element["text"]["text"])
    if "url" in element:
        return f'<a class="button" href="{html.escape(element["url"])}">{label}</a>'
    name, value = html.escape(element["action_id"]), html.escape(element["value"])
    return f'<button name="{name}" value="{value}">{label}</button>'


def _emoji_as_dots(text: str) -> str:
    """Return a text with its emoji as coloured dots, for a machine may have no font that has them."""
    for emoji, colour in EMOJI_COLOURS.items():
        text = text.replace(emoji, f'<i class="dot" style="background:{colour}" title="{emoji}"></i>')
    return text


def _render_mrkdwn(mrkdwn: str) -> str:
    """Return Slack's mrkdwn as HTML: bold, code, links and lines. Its three entities are HTML's own."""
    return _CODE_OR_LINK.sub(_render_tag, mrkdwn).replace("\n", "<br>")


def _render_tag(found: re.Match[str]) -> str:
    code, address, text, bold = found.groups()
    if code is not None:
        return f"<code>{code}</code>"
    if bold is not None:
        return f"<b>{_render_mrkdwn(bold)}</b>"
    return f'<a href="{address}">{text}</a>'


def take_screenshot(browser: Browser, shot: Screenshot, to: Path) -> Path:
    """Take one picture and return where it is; it is cut at its height."""
    page = browser.new_page(viewport={"width": shot.width, "height": shot.height or 100})
    page.goto(shot.page.as_uri())
    path = to / f"{shot.name}.png"
    page.screenshot(path=str(path), full_page=shot.height is None)
    page.close()
    return path


def main(arguments: Sequence[str]) -> int:
    """Take every picture of a demonstration, by default of ``make demo``'s; none without Chromium."""
    folder = Path(arguments[0]).resolve() if arguments else REPOSITORY / ".demo"
    if not CHROMIUM.exists():
        console.print(f"no pictures: they need {CHROMIUM} (Debian's package 'chromium')")
        return 0
    if not (folder / "ledger.db").exists():
        console.print(f"no pictures: {folder} holds no demonstration; run `make demo` first")
        return 2
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only a developer has it

    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for shot in screenshots_to_take(folder):
            path = take_screenshot(browser, shot, IMAGES)
            console.print(f"{path}  {path.stat().st_size // 1024} KB")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
