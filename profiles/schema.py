"""How one model's partitions are profiled: which columns, in which bins, for which groups."""

from __future__ import annotations

from dataclasses import dataclass, field

from profiles.bins import Embedding, Grid, Levels


@dataclass(frozen=True)
class ProfileSchema:
    """How one model's partitions are profiled, fixed when the model is first watched.

    ``numbers`` and ``categories`` are the features; ``score`` is None for a model without a readable score.
    ``groups`` maps each slice or protected column, and that of the model version, to the values that have a cube of
    their own (None: null); other values share the group ``OTHER_VALUES``. ``moments`` names the numbers whose second
    moments are kept, in order. ``weighted`` says that the cube also sums the payments' weights.
    Only profiles of schemas with the same ``id`` add up.
    """

    id: str
    numbers: dict[str, Grid]
    categories: dict[str, Levels]
    score: Grid | None
    slices: tuple[str, ...]
    groups: dict[str, tuple[str | None, ...]]
    embeddings: dict[str, Embedding] = field(default_factory=dict)
    moments: tuple[str, ...] = ()
    weighted: bool = False

    @property
    def sums(self) -> int:
        """Return how many sums the score cube keeps of each bin: 3, or 6 with weights (see ``profile.COUNT``)."""
        return 6 if self.weighted else 3


OTHER_VALUES = "(other)"
"""Group of the slice values that have no cube of their own."""
