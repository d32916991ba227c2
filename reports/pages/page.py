"""What the site needs to know of a kind of page: where it is written, what fills it, where it is linked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

TEMPLATE_FOLDER = Path(__file__).parents[1] / "templates"
PageContent = tuple[dict[str, Any], Any]
"""What a page's template is filled with, and the same for machines: the JSON beside the page."""


class Scope(StrEnum):
    """Of what there is one page: the site, or each model, watched day, incident or feature."""

    SITE = "site"
    MODEL = "model"
    DAY = "day"
    INCIDENT = "incident"
    FEATURE = "feature"


@dataclass(frozen=True)
class Page:
    """A kind of page.

    ``name`` is unique, and names its JSON in ``assets/schema.json``. ``path`` is where it is written below the site,
    without an ending, with ``{model}``, ``{day}``, ``{incident}`` or ``{feature}`` (a file name made of the feature's)
    where its scope has them. ``template`` is a file of ``folder`` that extends ``base.html``.

    ``build`` returns its content. It is called with a FleetView (site), a ModelView (model), or a ModelView and the
    day, the Incident or the name of the feature. ``json`` are the properties of its JSON as JSON Schema, each of them
    required; none says nothing about it. ``title`` is the text of its link where ``in_navigation``: pages of the site
    are linked from every page, a model's pages from every page about that model.
    """

    name: str
    title: str
    path: str
    template: str
    scope: Scope
    build: Callable[..., PageContent]
    json: Mapping[str, Any] | None = None
    in_navigation: bool = False
    folder: Path = TEMPLATE_FOLDER

    def path_of(self, **parts: object) -> str:
        """Return where the page of a model, day, incident or feature is written."""
        return self.path.format(**parts)


@dataclass(frozen=True)
class NavigationLink:
    """A link of the navigation; ``current`` is the page that it stands on."""

    title: str
    href: str
    current: bool


def navigation_links(pages: Iterable[Page], scope: Scope, here: str, model: str = "") -> list[NavigationLink]:
    """Return the links from the page at ``here`` to the pages of the site, or of a model."""
    root = "../" * here.count("/")
    linked = [page for page in pages if page.scope is scope and page.in_navigation]
    paths = [page.path_of(model=model) for page in linked]
    return [
        NavigationLink(page.title, f"{root}{path}.html", path == here) for page, path in zip(linked, paths, strict=True)
    ]
