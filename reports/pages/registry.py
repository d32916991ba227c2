"""The list of all pages: a new page is a module, a template and an entry here."""

from __future__ import annotations

from reports.pages import all_days, coverage, day, explore, feature, fleet, incident, methods, model
from reports.pages.page import Page, Scope

PAGES = (
    Page("fleet", "Fleet", "index", "fleet.html", Scope.SITE, fleet.build_fleet_page, fleet.JSON, in_navigation=True),
    Page(
        "coverage", "Coverage", "coverage", "coverage.html", Scope.SITE,
        coverage.build_coverage_page, coverage.JSON, in_navigation=True,
    ),
    Page(
        "methods", "Methods", "methods", "methods.html", Scope.SITE,
        methods.build_methods_page, methods.JSON, in_navigation=True,
    ),
    Page(
        "model", "Overview", "models/{model}/index", "model.html", Scope.MODEL,
        model.build_model_page, model.JSON, in_navigation=True,
    ),
    Page(
        "explore", "Explore", "models/{model}/explore", "explore.html", Scope.MODEL,
        explore.build_explore_page, explore.JSON, in_navigation=True,
    ),
    Page(
        "days", "All days", "models/{model}/days/index", "days.html", Scope.MODEL,
        all_days.build_days_page, all_days.JSON, in_navigation=True,
    ),
    Page("day", "Day", "models/{model}/days/{day}", "day.html", Scope.DAY, day.build_day_page, day.JSON),
    Page(
        "incident", "Incident", "incidents/{incident}", "incident.html", Scope.INCIDENT,
        incident.build_incident_page, incident.JSON,
    ),
    Page(
        "feature", "Feature", "models/{model}/features/{feature}", "feature.html", Scope.FEATURE,
        feature.build_feature_page, feature.JSON,
    ),
)  # fmt: skip
"""In the order of the navigation. Pages are written from the last to the first, so that most of what a page links to
is there before it, and the fleet page comes last."""
