"""What reading may cost where the warehouse bills the bytes it reads, and what is left unread when it costs more.

Such a warehouse bills every column that a statement names, whole, in every partition that its filter leaves, whatever
the rows are used for. So what can be saved, and how:

- *Fewer slices* save the bytes of the slice columns that nothing else reads, and the work (slots) of grouping by them.
- *A deterministic sample* is one of features, not of rows. Rows picked by a hash of their id would save slots but not
  a byte, and cost the bytes of the id; rows by ``TABLESAMPLE SYSTEM`` would save bytes, but are others each time, so
  that a day watched again would say something else. Half of the features cost half of their bytes, and each that is
  read is counted exactly. Which ones they are depends on the day alone, and every one has its turn.
- The score, its amount, the labels and the protected groups are always read: few columns that say most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.schema import ProfileSchema

FEWEST_FEATURES = 64
"""The smallest sample reads one feature of so many."""


@dataclass(frozen=True)
class ReadPlan:
    """What a scan is to read; ``left_out`` says in words what it isn't, and is empty where it reads everything."""

    features: tuple[str, ...]
    slices: tuple[str, ...]
    left_out: str = ""


@dataclass(frozen=True)
class StatementCost:
    """What one statement cost: bytes as estimated by its dry run, as read, and as billed (0 from the cache)."""

    model: str
    step: str
    estimated: int
    processed: int
    billed: int


class CostAccount:
    """What models used today: what was recorded since it was last taken, and the bytes billed before that."""

    def __init__(self, earlier: Mapping[str, int] | None = None) -> None:
        self.used: list[StatementCost] = []
        self.left_out: dict[str, str] = {}
        """What was left unread of a model to keep within its budget, in words."""
        self._earlier = dict(earlier or {})

    def begin(self, model: str, earlier: int) -> None:
        """Note the bytes that were billed for a model today and taken away since."""
        self._earlier[model] = earlier

    def take(self, model: str) -> list[StatementCost]:
        """Return what was recorded of a model, and forget it."""
        taken = [used for used in self.used if used.model == model]
        self.used = [used for used in self.used if used.model != model]
        return taken

    def record(self, used: StatementCost) -> None:
        """Add what a statement cost."""
        self.used.append(used)

    def billed(self, model: str) -> int:
        """Return the bytes that were billed for a model today."""
        return self._earlier.get(model, 0) + sum(used.billed for used in self.used if used.model == model)


def reading_plans(features: Sequence[str], slices: Sequence[str], day: date) -> Iterator[ReadPlan]:
    """Yield ways to read a day, from everything to the least: fewer slices, then fewer features, never none.

    The slice that stands last in the model file is left out first.
    """
    yield ReadPlan(tuple(features), tuple(slices))
    for kept in range(len(slices) - 1, -1, -1):
        yield ReadPlan(tuple(features), tuple(slices[:kept]), _without_slices(slices[kept:]))
    one_in = 2
    while one_in <= min(FEWEST_FEATURES, len(features)):
        chosen = sample_features(features, one_in, day)
        words = f"{len(chosen)} of {len(features)} features (each has its turn within {one_in} days)"
        yield ReadPlan(chosen, (), f"{_without_slices(slices)}, with {words}" if slices else f"with {words}")
        one_in *= 2


def sample_features(features: Sequence[str], one_in: int, day: date) -> tuple[str, ...]:
    """Return one of so many features: those whose turn it is on a day, in their own order."""
    shuffled = sorted(features, key=lambda name: hashlib.sha256(name.encode()).digest())
    chosen = {name for turn, name in enumerate(shuffled) if (turn + day.toordinal()) % one_in == 0}
    return tuple(name for name in features if name in chosen)


def choose_plan(
    model: str, plans: Iterable[ReadPlan], estimate: Callable[[ReadPlan], int], left: int, budget: int
) -> ReadPlan:
    """Return the first plan whose estimated bytes are within what is ``left`` of a model's ``budget`` of bytes a day.

    Raises WatchkeeperError where none is.
    """
    needed = 0
    for plan in plans:
        needed = estimate(plan)
        if needed <= left:
            return plan
    raise WatchkeeperError(
        f"{model}: even the least reading would bill {format_bytes(needed)}, and {format_bytes(max(left, 0))} of the "
        f"{format_bytes(budget)} a day are left; raise budget.bytes_per_day in the model file, or run this tomorrow"
    )


def restrict_schema(spec: Spec, schema: ProfileSchema, plan: ReadPlan) -> ProfileSchema:
    """Return a profile schema that reads what a plan says; it keeps its id, so that profiles of both add up."""
    kept, always = set(plan.features), {*spec.compared, spec.score.version, spec.score.action}
    return replace(
        schema,
        numbers={name: grid for name, grid in schema.numbers.items() if name in kept},
        categories={name: levels for name, levels in schema.categories.items() if name in kept},
        embeddings={name: own for name, own in schema.embeddings.items() if name in kept},
        slices=plan.slices,
        groups={name: own for name, own in schema.groups.items() if name in always or name in plan.slices},
        moments=schema.moments if kept.issuperset(schema.moments) else (),
    )


def format_bytes(count: int) -> str:
    """Return a number of bytes in words, as warehouses' prices count them: 1 kB is 1,000 bytes."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:,.3g} {unit}"


def _without_slices(slices: Sequence[str]) -> str:
    return f"without {'slice' if len(slices) == 1 else 'slices'} {', '.join(slices)}"
