"""A small bank written to Parquet, and the same counts made from its raw rows with numpy and pandas alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from models.spec import Baseline, Column, Features, Labels, Protected, Score, Spec
from profiles.bins import REST, UNSEEN
from profiles.profile import (
    BLOCKED,
    EVERYONE,
    FRAUD,
    FRAUD_TYPE,
    LEGITIMATE,
    MISSED,
    OPEN,
    Cohort,
    Counts,
    Cube,
    Group,
    Profile,
    sort_groups,
)
from profiles.schema import OTHER_VALUES, ProfileSchema

DAY = date(2026, 1, 5)
NUMBERS, CATEGORIES = ("amount_gbp", "age_days"), ("country", "trusted")


def spec(**changes: object) -> Spec:
    columns = {name: Column(kind="number") for name in NUMBERS} | {name: Column(kind="category") for name in CATEGORIES}
    parts: dict[str, object] = {
        "model": "cards",
        "features": Features(table="cards/features", columns=columns),
        "score": Score(threshold=0.8, amount="amount_gbp", action="action", blocked=["block"]),
        "labels": Labels(table="cards/labels"),
        "slices": ["channel"],
        "protected": {"age_band": Protected(reference="30-59")},
        "baseline": Baseline(start=DAY, end=DAY + timedelta(days=6)),
    }
    return Spec(**(parts | changes))


def payments(rows: int, seed: int, first_id: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    amount = np.round(np.exp(rng.standard_normal(rows) * 1.2 + 3), 2)
    age = np.floor(rng.normal(900, 300, rows))
    age[rng.random(rows) < 0.05] = np.nan
    channel = rng.choice(["chip", "online", "phone", None], rows, p=[0.5, 0.3, 0.15, 0.05])
    return pd.DataFrame(
        {
            "payment_id": np.arange(first_id, first_id + rows),
            "amount_gbp": amount,
            "age_days": age,
            "country": rng.choice(["GB", "FR", "US", None], rows, p=[0.8, 0.1, 0.05, 0.05]),
            "trusted": rng.random(rows) < 0.3,
            "channel": channel,
            "age_band": rng.choice(["18-29", "30-59", "60+"], rows),
            "score": np.round(rng.beta(0.5, 2, rows), 3),
            "action": rng.choice(["allow", "review", "block"], rows, p=[0.9, 0.06, 0.04]),
        }
    )


def write(root: Path, rows: pd.DataFrame, day: date = DAY, table: str = "cards/features", name: str = "part-0") -> Path:
    folder = root / table / f"day={day}"
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(folder / f"{name}.parquet", index=False)
    return folder / f"{name}.parquet"


def week(root: Path, rows: int = 400) -> dict[date, pd.DataFrame]:
    """Write seven days from DAY on and return their rows."""
    days = {DAY + timedelta(days=i): payments(rows, seed=i, first_id=1000 * i) for i in range(7)}
    for day, own in days.items():
        write(root, own, day)
    return days


def labels(root: Path, events: list[tuple[object, object, str]], day: date = DAY) -> None:
    """Write label events (id, label, known_at)."""
    rows = pd.DataFrame(events, columns=["payment_id", "is_fraud", "known_at"])
    write(root, rows.assign(known_at=pd.to_datetime(rows.known_at, format="ISO8601")), day, "cards/labels")


def profile_of(frame: ProfileSchema, model: Spec, rows: pd.DataFrame) -> Profile:
    """Return the profile of raw rows by the definitions in words, without SQL."""
    groups: dict[Group, pd.DataFrame] = {EVERYONE: rows}
    groups |= {key: part for name in frame.slices for key, part in _parts(frame, name, rows)}
    features = {group: _features(frame, part) for group, part in groups.items() if len(part)}
    if EVERYONE in features:
        features[EVERYONE][model.score.column] = _score(frame.score, rows[model.score.column])
    blocked = rows["action"].isin(model.score.blocked)
    return Profile(frame.id, len(rows), features, cube_of(frame, model, rows, np.where(blocked, BLOCKED, OPEN)))


def cohort_of(
    frame: ProfileSchema, model: Spec, rows: pd.DataFrame, events: pd.DataFrame, day: date, as_of: date
) -> Cohort:
    """Return the cohort of raw rows and label events by the definitions in words, without SQL."""
    known = events[events.known_at < pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    newest = known.sort_values(["known_at", "is_fraud"]).groupby("payment_id").is_fraud.last()
    first = known[known.is_fraud].groupby("payment_id").known_at.min()
    mine = rows[rows.payment_id.isin(newest.index) & (rows.action != "block") & np.isfinite(rows.score)]
    fraud = newest.loc[mine.payment_id].to_numpy(dtype=bool)
    delays = (first.loc[mine.payment_id[fraud]].dt.normalize() - pd.Timestamp(day)).dt.days.clip(lower=0)
    bins = dict(cube_of(frame, model, mine, np.where(fraud, FRAUD, LEGITIMATE)).bins)
    parts = {MISSED: (mine.score[fraud] < model.score.threshold).to_numpy()}
    if model.labels.type is not None:
        types = known[known.is_fraud].sort_values(["known_at", "rank"]).groupby("payment_id").type.last()
        own = types.loc[mine.payment_id[fraud]].to_numpy()
        parts |= {(FRAUD_TYPE, kind): own == kind for kind in dict.fromkeys(own)}
        bins |= {group: cube_of(frame, model, mine[fraud][at], np.full(at.sum(), FRAUD)).bins[EVERYONE]
                  for group, at in parts.items() if group != MISSED}  # fmt: skip
    by_part = {group: dict(Counter(delays[at].tolist())) for group, at in parts.items() if at.any()}
    return Cohort(Cube(sort_groups(bins)), dict(Counter(delays.tolist())), by_part)


def cube_of(frame: ProfileSchema, model: Spec, rows: pd.DataFrame, state: np.ndarray) -> Cube:
    scored = np.isfinite(rows.score.to_numpy(dtype=float))
    rows, state = rows[scored], state[scored]
    amount = rows.amount_gbp.to_numpy(dtype=float)
    amount = np.clip(np.where(np.isfinite(amount), amount, 0), 0, 1e11)
    rows = rows.assign(
        _cell=frame.score.bin_of(rows.score.to_numpy(dtype=float)) + frame.score.half,
        _state=state,
        _pence=np.floor(amount * 100 + 0.5),
        _share=np.floor(rows.score.to_numpy(dtype=float).clip(0, 1) * 1e9 + 0.5),
    )
    if frame.weighted:
        rows = rows.assign(**_weights(model, rows))
    bins = {EVERYONE: rows} | {key: part for name in frame.groups for key, part in _parts(frame, name, rows)}
    return Cube({group: _cube(frame, part) for group, part in bins.items() if len(part)})


def _weights(model: Spec, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    p = pd.to_numeric(rows[model.score.propensity], errors="coerce").to_numpy(dtype=float)
    stopped = rows.action.isin(model.score.blocked).to_numpy()
    usable = (p >= 0.0001) & (p <= 1)
    safe = np.where(usable, p, 1.0)
    return {
        "_weight": np.where(usable & ~stopped, np.floor(1e6 / safe + 0.5), 0),
        "_weighted_pence": np.where(usable & ~stopped, np.floor(rows._pence / safe + 0.5), 0),
        "_unweighted": np.where(usable | stopped, 0, 1),
    }


def _cube(frame: ProfileSchema, rows: pd.DataFrame) -> np.ndarray:
    cube = np.zeros((2 * frame.score.half, 4, frame.sums), dtype=np.int64)
    names = ["_pence", "_share", "_weight", "_weighted_pence", "_unweighted"][: frame.sums - 1]
    what = np.stack([np.ones(len(rows)), *(rows[name] for name in names)], axis=1).astype(np.int64)
    np.add.at(cube, (rows._cell.to_numpy(), rows._state.to_numpy()), what)
    return cube


def _parts(frame: ProfileSchema, name: str, rows: pd.DataFrame) -> list[tuple[Group, pd.DataFrame]]:
    def group(value: object) -> str | None:
        text = None if pd.isna(value) else str(value)
        return text if text in frame.groups[name] else OTHER_VALUES

    values = [group(value) for value in rows[name]]
    return [((name, v), rows[[w == v for w in values]]) for v in dict.fromkeys(values)]


def _features(frame: ProfileSchema, rows: pd.DataFrame) -> dict[str, Counts]:
    numbers = {name: _number(grid, rows[name]) for name, grid in frame.numbers.items()}
    return numbers | {name: _category(levels, rows[name]) for name, levels in frame.categories.items()}


def _number(grid, values: pd.Series) -> Counts:
    null = values.isna().to_numpy()
    x = values.to_numpy(dtype=float)[~null]
    finite = x[np.isfinite(x)]
    with np.errstate(over="ignore"):
        total = sum(int(unit) for unit in np.floor(np.clip(finite * grid.per_unit, -1e18, 1e18) + 0.5))
    return Counts(int(null.sum()), len(x) - len(finite), total, dict(Counter(grid.bin_of(finite).tolist())))


def _score(grid, values: pd.Series) -> Counts:
    x = values.to_numpy(dtype=float)
    share = np.clip((x[np.isfinite(x)] - grid.centre) / grid.scale, 0, 1)
    return replace(_number(grid, values), total=int(np.floor(share * 1e9 + 0.5).sum()))


def _category(levels, values: pd.Series) -> Counts:
    def cell(value: object) -> int:
        text = str(value).lower() if isinstance(value, bool | np.bool_) else str(value)
        return levels.top.index(text) if text in levels.top else REST if text in levels.seen else UNSEEN

    known = values[values.notna()]
    return Counts(int(values.isna().sum()), 0, 0, dict(Counter(cell(value) for value in known)))
