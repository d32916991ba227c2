"""The site in a real browser, opened from disk without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.site import build_site
from tests.reports.test_site import hostile

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs {CHROMIUM} (Debian's package 'chromium')")

OPEN_ALL = "document.querySelectorAll('details').forEach((part) => { part.open = true; })"
UNLABELLED = """() => [...document.querySelectorAll("a, button, input, select, [role=img], [role=group]")]
  .filter((part) => !(part.closest("svg") && part.tabIndex < 0))
  .filter((part) => !(part.getAttribute("aria-label") || part.textContent.trim() || part.labels?.length || part.title))
  .map((part) => part.outerHTML.slice(0, 120))"""
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
        self.page.evaluate(OPEN_ALL)
        return self


def kinds(site: Path) -> dict[str, Path]:
    (incident,) = (site / "incidents").glob("card_payments-column_fault*.html")
    model = site / "models/card_payments"
    return {
        "fleet": site / "index.html",
        "model": model / "index.html",
        "model without labels": site / "models/account_opening/index.html",
        "feature": model / "features/device_age_days.html",
        "category": model / "features/merchant_category.html",
        "day": model / "days/2026-04-28.html",
        "day without data": model / "days/2026-04-07.html",
        "days": model / "days/index.html",
        "incident": incident,
        "coverage": site / "coverage.html",
        "methods": site / "methods.html",
    }


KINDS = (
    "fleet", "model", "model without labels", "feature", "category", "day", "day without data", "days", "incident",
    "coverage", "methods",
)  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1400, "light")])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_shows_without_a_complaint_and_fits_its_window(
    browser: Any, site: Path, kind: str, width: int, scheme: str
) -> None:
    reader = Reader(browser, width, scheme).opens(kinds(site)[kind])
    assert reader.complaints == []
    assert reader.page.evaluate(OVERFLOW) <= 0
    assert reader.page.locator("h1").count() == 1
    assert reader.page.evaluate(UNLABELLED) == []
    reader.page.context.close()


AXE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core, which `make install` fetches where npm can")
@pytest.mark.parametrize(
    ("kind", "scheme"), [*((kind, "light") for kind in KINDS), ("fleet", "dark"), ("model", "dark")]
)
def test_axe_finds_nothing_that_a_reader_with_a_disability_would_trip_over(
    browser: Any, site: Path, kind: str, scheme: str
) -> None:
    page = Reader(browser, scheme=scheme).opens(kinds(site)[kind]).page
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    assert [(v["id"], [node["html"][:160] for node in v["nodes"][:3]]) for v in found] == []
    page.context.close()


def test_the_fleet_is_searched_and_filtered_and_the_address_keeps_what_was_asked(browser: Any, site: Path) -> None:
    reader = Reader(browser).opens(kinds(site)["fleet"])
    page = reader.page
    titles = "cards => cards.filter((card) => !card.hidden).map((card) => card.querySelector('h2').textContent)"
    cards = page.locator(".fleet > li")
    assert len(cards.evaluate_all(titles)) == 3
    page.get_by_label("Search").fill("SCAMS device")
    assert cards.evaluate_all(titles) == ["App scams"]
    assert page.locator("output").inner_text() == "1 of 3 models"
    page.get_by_label("Search").fill("")
    page.get_by_label("State").select_option("unwatched")
    assert cards.evaluate_all(titles) == ["Account opening"]
    assert page.url.endswith("#state=unwatched")
    page.reload()
    assert cards.evaluate_all(titles) == ["Account opening"]
    assert reader.complaints == []


def test_a_row_of_the_heat_map_says_its_figures_and_leads_to_the_feature(browser: Any, site: Path) -> None:
    reader = Reader(browser).opens(kinds(site)["model"])
    page = reader.page
    row = page.locator(".heat").first.locator("a").nth(1)
    row.scroll_into_view_if_needed()
    box = row.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + 9)
    tip = page.locator(".tip")
    assert tip.inner_text().startswith("device_age_days · 18")
    assert "Thu, 30 Apr: 0.3" in tip.inner_text().replace("Thu 30 Apr", "Thu, 30 Apr")
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + 9)
    page.wait_for_url("**/features/device_age_days.html")
    assert "31" in page.locator(".lede").inner_text() or "34" in page.locator(".lede").inner_text()
    assert reader.complaints == []


def test_a_mark_of_a_chart_says_its_figure_and_leads_to_its_day(browser: Any, site: Path) -> None:
    page = Reader(browser).opens(kinds(site)["feature"]).page
    nulls = page.locator("figure", has_text="Share of nulls").first.locator(".plot a").last
    nulls.scroll_into_view_if_needed()
    nulls.hover()
    assert page.locator(".tip").inner_text().startswith("Thu 30 Apr: 3")
    nulls.click()
    page.wait_for_url("**/days/2026-04-30.html")


def test_without_a_script_everything_is_there_but_the_filters(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(kinds(site)["fleet"].as_uri())
    assert page.locator(".filters").is_hidden()
    assert page.locator(".fleet > li").count() == 3
    page.goto((site / "models/card_payments/days/latest.html").as_uri())
    page.wait_for_url("**/days/2026-04-30.html")
    context.close()


def test_a_printed_model_page_is_whole_and_light(browser: Any, site: Path) -> None:
    page = Reader(browser, scheme="dark").opens(kinds(site)["model"]).page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator(".mast").is_hidden()
    ink, ground = page.evaluate(
        "['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name].match(/\\d+/g).map(Number))"
    )
    assert min(ground) > 250
    assert max(ink) < 60
    assert len(page.pdf()) > 20_000


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
    labels = page.locator(".chart").evaluate_all("plots => plots.map((plot) => plot.getAttribute('aria-label'))")
    assert len(labels) >= 10
    assert all(len(label) > 20 for label in labels)
    heat = next(label for label in labels if label.startswith("PSI. "))
    assert "device_age_days" in heat


def test_charts_follow_the_reader_from_light_to_dark(browser: Any, site: Path) -> None:
    page = Reader(browser, scheme="light").opens(kinds(site)["model"]).page
    ink = "getComputedStyle(document.querySelector('.plot text')).fill"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ink) != light


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
    build_site(ledger, [spec], tmp_path / "site")
    for path in sorted(path for path in (tmp_path / "site").rglob("*.html") if path.stem != "latest"):  # it leads on
        reader = Reader(browser, width=390).opens(path)
        assert reader.complaints == [], path.name
        assert reader.page.evaluate(OVERFLOW) <= 0, path.name
        assert reader.page.locator("main img, main script:not([type='application/json'])").count() == 0
