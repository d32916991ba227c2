"""The site in a real browser, opened from disk without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.site import build
from tests.reports.test_site import hostile

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs {CHROMIUM} (Debian's package 'chromium')")

DRAW_ALL = """async () => {
  for (let y = 0; y < document.body.scrollHeight; y += 600) {
    window.scrollTo(0, y);
    await new Promise((done) => setTimeout(done, 30));
  }
  document.querySelectorAll("details").forEach((part) => { part.open = true; });
}"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Reader:
    """A person with a browser, who writes down everything that the console complains about."""

    def __init__(self, browser: Any, width: int = 1280, scheme: str = "light") -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def opens(self, path: Path) -> Reader:
        self.page.goto(path.as_uri())
        self.page.evaluate(DRAW_ALL)
        figures = self.page.locator("figure.drawing").count()
        if figures:
            self.page.wait_for_function(f"() => document.querySelectorAll('.plot .main-svg').length >= {figures}")
        return self


def kinds(site: Path) -> dict[str, Path]:
    (incident,) = (site / "incidents").glob("card_payments-column_fault*.html")
    model = site / "models/card_payments"
    return {
        "fleet": site / "index.html",
        "model": model / "index.html",
        "model without labels": site / "models/account_opening/index.html",
        "day": model / "days/2026-04-28.html",
        "day without data": model / "days/2026-04-07.html",
        "incident": incident,
    }


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("kind", ["fleet", "model", "model without labels", "day", "day without data", "incident"])
def test_a_page_draws_without_a_complaint_and_fits_its_window(browser: Any, site: Path, kind: str, width: int) -> None:
    reader = Reader(browser, width).opens(kinds(site)[kind])
    assert reader.complaints == []
    assert reader.page.evaluate(OVERFLOW) <= 0
    assert reader.page.locator("h1").count() == 1


def test_a_reader_walks_from_the_fleet_to_a_day_and_to_an_incident_and_back(browser: Any, site: Path) -> None:
    reader = Reader(browser).opens(kinds(site)["fleet"])
    page = reader.page
    way = [
        (page.get_by_role("link", name="Card payments, real-time score"), "models/card_payments/index.html"),
        (page.locator(".strip a").last, "days/2026-04-30.html"),
        (page.get_by_role("link", name="← Wed 29 Apr"), "days/2026-04-29.html"),
        (page.locator(".banner a").first, ".html"),
        (page.get_by_role("link", name="Card payments, real-time score"), "models/card_payments/index.html"),
        (page.get_by_role("link", name="Watchkeeper"), "site/index.html"),
    ]
    for link, end in way:
        link.click()
        page.wait_for_load_state("load")
        assert page.url.endswith(end)
    assert reader.complaints == []


def test_the_strip_is_reached_by_keyboard_and_each_day_has_a_name(browser: Any, site: Path) -> None:
    page = Reader(browser).opens(kinds(site)["model"]).page
    names = page.locator(".strip a").evaluate_all("links => links.map((link) => link.getAttribute('aria-label'))")
    assert len(names) == 30
    assert names[-1].startswith("Thu 30 Apr, incident")
    page.locator(".strip a").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/days/2026-04-30.html")


def test_every_figure_says_in_words_what_it_shows(browser: Any, site: Path) -> None:
    page = Reader(browser).opens(kinds(site)["model"]).page
    labels = page.locator(".plot").evaluate_all("plots => plots.map((plot) => plot.getAttribute('aria-label'))")
    assert len(labels) >= 10
    assert all(len(label) > 20 for label in labels)
    heat = next(label for label in labels if label.startswith("Drift (PSI)"))
    assert "device_age_days" in heat


def test_a_cell_of_the_heat_map_leads_to_its_day(browser: Any, site: Path) -> None:
    page = Reader(browser).opens(kinds(site)["model"]).page
    plot = page.locator(".plot.linked").first
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + 12)
    page.wait_for_selector(".hoverlayer .hovertext")
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + 12)
    page.wait_for_url("**/days/2026-04-30.html")


def test_figures_follow_the_reader_from_light_to_dark(browser: Any, site: Path) -> None:
    page = Reader(browser, scheme="light").opens(kinds(site)["model"]).page
    ink = "document.querySelector('.plot .xtick text').style.fill"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => {ink} !== {light!r}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Any, site: Path, scheme: str) -> None:
    page = Reader(browser, scheme=scheme).opens(kinds(site)["model"]).page
    names = ["--ink", "--muted", "--link", "--breach", "--errored", "--bg", "--panel", "--breach-soft"]
    read = "names => names.map((name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim())"
    colour = dict(zip(names, page.evaluate(read, names), strict=True))
    for ground in ("--bg", "--panel", "--breach-soft"):
        for text in ("--ink", "--muted", "--link", "--breach", "--errored"):
            assert contrast(colour[text], colour[ground]) >= 4.5, f"{text} on {ground}"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, as WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_hostile_names_are_harmless_in_a_browser(browser: Any, tmp_path: Path) -> None:
    ledger, spec = hostile(tmp_path)
    build(ledger, [spec], tmp_path / "site")
    for path in sorted((tmp_path / "site").rglob("*.html")):
        reader = Reader(browser, width=390).opens(path)
        assert reader.complaints == [], path.name
        assert reader.page.evaluate(OVERFLOW) <= 0, path.name
        assert reader.page.locator("main img, main script:not([type='application/json'])").count() == 0
