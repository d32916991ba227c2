"""Writes a page: its template filled, its JSON beside it, and the navigation that the list of pages gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.pages.page import Page, PageContent, Scope, navigation_links
from reports.templating import template_environment
from reports.writing import as_json, write_file


@dataclass(frozen=True)
class PageWriter:
    """Writes pages of a list into the site's folder."""

    site: Path
    pages: Sequence[Page]

    def of_scope(self, *scopes: Scope) -> list[Page]:
        """Return the pages of some scopes in the order in which they are written."""
        return [page for page in reversed(self.pages) if page.scope in scopes]

    def write(self, page: Page, content: PageContent, *, model: str = "", **parts: object) -> str:
        """Write ``<path>.html`` from the page's template and ``<path>.json`` beside it; return the path.

        ``model`` and ``parts`` are what stands in the page's path. Raises WatchkeeperError where the folder can't be
        written; the old page then stays.
        """
        path = page.path_of(model=model, **parts)
        context, machine = content
        html = (
            template_environment(page.folder)
            .get_template(page.template)
            .render(
                context,
                root="../" * path.count("/"),
                json_name=f"{path.rpartition('/')[2]}.json",
                navigation=navigation_links(self.pages, Scope.SITE, path),
                model_navigation=navigation_links(self.pages, Scope.MODEL, path, model) if model else [],
            )
        )
        write_file(self.site / f"{path}.json", (as_json(machine) + "\n").encode())
        write_file(self.site / f"{path}.html", html.encode())
        return path
