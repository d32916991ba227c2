"""What counts as caught, how late, and what counts as a false page. The same for every detector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Page:
    """Somebody is told something on the data of a day.

    ``key`` names what it is about, such that telling the same twice has the same key; ``column`` is the column that
    it shows on top ('' for none), ``cause`` the cause that it names ('' where a detector names none).
    """

    day: date
    key: str
    column: str = ""
    cause: str = ""
    words: str = ""


@dataclass(frozen=True)
class Truth:
    """An incident that was put into the data: its first day, and what a good page about it shows and says.

    It must be caught on one of the first ``deadline_days`` days; ``columns`` is empty where no column is to blame.
    """

    kind: str
    start: date
    deadline_days: int
    columns: tuple[str, ...]
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Caught:
    """Whether an incident was caught, on which of its days (1 is the first), and whether column and cause were right.

    ``right_column`` is None where no column is to blame, and both are None where nothing was caught.
    """

    caught: bool
    delay_days: int | None = None
    right_column: bool | None = None
    right_cause: bool | None = None
    pages: list[Page] = field(default_factory=list)


def judge(truth: Truth, pages: Sequence[Page], quiet: Iterable[Page]) -> Caught:
    """Compare the pages about days with an incident with those about the same days without it (``quiet``).

    An incident is caught by the first page, within its deadline, about something that isn't paged about on any day
    within that deadline when the incident isn't there. A detector that says the same every day catches nothing.
    What is on top of that day's new pages (they come in the order in which they are shown) is judged.
    """
    in_time = {(page.day - truth.start).days for page in pages} & set(range(truth.deadline_days))
    anyway = {page.key for page in quiet if 0 <= (page.day - truth.start).days < truth.deadline_days}
    new = [page for page in pages if (page.day - truth.start).days in in_time and page.key not in anyway]
    if not new:
        return Caught(caught=False)
    first = min(page.day for page in new)
    told = [page for page in new if page.day == first]
    return Caught(
        caught=True,
        delay_days=(first - truth.start).days + 1,
        right_column=told[0].column in truth.columns if truth.columns else None,
        right_cause=told[0].cause in truth.causes,
        pages=told,
    )


def false_pages(pages: Sequence[Page], *, merged: bool) -> list[Page]:
    """Return the pages of quiet days that wake somebody.

    What is told on several days running is one page. ``merged`` also takes all that begins on one day for one page:
    for detectors that don't group what they find, it is the kindest count.
    """
    told = {(page.key, page.day.toordinal()) for page in pages}
    begin = [page for page in pages if (page.key, page.day.toordinal() - 1) not in told]
    if not merged:
        return begin
    first = {page.day: page for page in reversed(begin)}
    return [first[day] for day in sorted(first)]
