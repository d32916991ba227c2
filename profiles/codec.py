"""Profiles, cohorts and profile schemas as bytes and text: the same value always gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from profiles.bins import Embedding, Grid, Ints, Levels
from profiles.counts import BinCounts, Group, LazyArrays, NarrowInts, PackedCounts
from profiles.profile import Cohort, Cube, Moments, Profile
from profiles.schema import ProfileSchema

VERSION = 1
"""First byte of everything written here; then zlib of: length of the header (4 bytes), header (JSON), arrays.

What any version wrote can be read for ever: tests/profiles/golden holds bytes of each. Byte planes under zlib would
make a profile 15 % smaller, leaving out what slices add up to 32 %; neither was worth a second version yet."""
_WIDTHS = ("<i1", "<i2", "<i4", "<i8")


def profile_to_bytes(profile: Profile) -> bytes:
    """Return a profile as bytes.

    Args:
        profile: any profile, also an empty one.
    Returns:
        Bytes of version VERSION, the same for equal profiles.
    """
    counts = [
        (i, column, of) for i, columns in enumerate(profile.features.values()) for column, of in sorted(columns.items())
    ]
    header = {
        "frame": profile.schema_id,
        "rows": profile.rows,
        "groups": list(profile.features),
        "counts": [[i, column, of.nulls, of.nonfinite, of.total, len(of.bins)] for i, column, of in counts],
    }
    if profile.moments:
        header["moments"] = [[name, of.n, len(of.sums)] for name, of in sorted(profile.moments.items())]
    own = [BinCounts.of(of.bins) for _, _, of in counts] or [BinCounts.of({})]
    pair = np.concatenate([each.bins for each in own]), np.concatenate([each.rows for each in own])
    return _pack(header, profile.cube, pair, [_moments_to_array(profile.moments)] if profile.moments else [])


def _moments_to_array(moments: Mapping[str, Moments]) -> Ints:
    """Return sums and the upper triangle of products of each, one after the other."""
    own = [part for _, of in sorted(moments.items()) for part in (of.sums, of.products[np.triu_indices(len(of.sums))])]
    return np.concatenate(own) if own else np.zeros(0, dtype=np.int64)


def profile_from_bytes(data: bytes) -> Profile:
    """Return the profile that ``profile_to_bytes`` wrote.

    Args:
        data: its bytes, of any version so far.
    Returns:
        The profile; its counts and cube are unpacked when they are first asked for.
    Raises:
        ValueError: for a version not known here, or damaged bytes.
    """
    header, cube, (bins, rows), more = _unpack(data)
    groups, counts = _groups_from_json(header["groups"]), header["counts"]
    from_header = np.array([own[2:5] for own in counts], dtype=object).reshape(-1, 3)
    sizes = np.array([own[5] for own in counts], dtype=np.int64)
    names = [(groups[i], column) for i, column, *_ in counts]
    features = PackedCounts(groups, names, from_header, sizes, bins, rows)
    return Profile(
        header["frame"], header["rows"], features, cube, _moments_from_array(header.get("moments", []), *more)
    )


def _moments_from_array(
    from_header: Sequence[tuple[str, int, int]], stored: NarrowInts | None = None
) -> dict[str, Moments]:
    found, at = {}, 0
    array = np.zeros(0, dtype=np.int64) if stored is None else stored.astype(np.int64)
    for name, n, k in from_header:
        upper = np.triu_indices(k)
        end = at + k + len(upper[0])
        found[name] = Moments.from_upper(n, array[at : at + k], array[at + k : end])
        at = end
    return found


def cohort_to_bytes(cohort: Cohort) -> bytes:
    """Return a cohort as bytes.

    Args:
        cohort: any cohort, also an empty one.
    Returns:
        Bytes of version VERSION, the same for equal cohorts.
    """
    delays, parts = BinCounts.of(cohort.delays), [BinCounts.of(own) for own in cohort.delays_by_group.values()]
    header = {"delays_of": [[group, len(own)] for group, own in zip(cohort.delays_by_group, parts, strict=True)]}
    more = (
        [np.concatenate([each.bins for each in parts]), np.concatenate([each.rows for each in parts])] if parts else []
    )
    return _pack(header if parts else {}, cohort.labels, (delays.bins, delays.rows), more)


def cohort_from_bytes(data: bytes) -> Cohort:
    """Return the cohort that ``cohort_to_bytes`` wrote.

    Args:
        data: its bytes, of any version so far.
    Returns:
        The cohort.
    Raises:
        ValueError: for a version not known here, or damaged bytes.
    """
    header, cube, (delays, frauds), more = _unpack(data)
    parts: dict[Group, BinCounts] = {}
    at = 0
    for (column, value), size in header.get("delays_of", []):
        parts[column or "", value] = BinCounts(*(array[at : at + size].astype(np.int64) for array in more))
        at += size
    return Cohort(cube, dict(zip(delays.tolist(), frauds.tolist(), strict=True)), parts)


def profile_schema_to_json(schema: ProfileSchema) -> str:
    """Return a profile schema as JSON.

    Args:
        schema: any profile schema.
    Returns:
        One line of JSON with the version, the id and the content.
    """
    return json.dumps({"version": VERSION, "id": schema.id, **_schema_content(schema)}, ensure_ascii=False)


def profile_schema_from_json(text: str) -> ProfileSchema:
    """Return the profile schema that ``profile_schema_to_json`` wrote.

    Args:
        text: its JSON.
    Returns:
        The profile schema, with the id that it was stored under.
    Raises:
        ValueError: for another version.
    """
    content = json.loads(text)
    if content.get("version") != VERSION:
        raise ValueError(f"a profile schema of version {content.get('version')} can't be read; version {VERSION} can")
    return ProfileSchema(
        id=content["id"],
        numbers={name: Grid(**grid) for name, grid in content["numbers"].items()},
        categories={
            name: Levels(tuple(levels["top"]), frozenset([*levels["top"], *levels["rest"]]))
            for name, levels in content["categories"].items()
        },
        score=Grid(**content["score"]) if content["score"] else None,
        slices=tuple(content["slices"]),
        groups={name: tuple(values) for name, values in content["groups"].items()},
        embeddings={
            name: Embedding(own["dimensions"], Grid(**own["grid"]))
            for name, own in content.get("embeddings", {}).items()
        },
        moments=tuple(content.get("moments", ())),
        weighted=content.get("weighted", False),
    )


def profile_schema_id(schema: ProfileSchema) -> str:
    """Return the id of a profile schema.

    Args:
        schema: any profile schema; its own ``id`` is not looked at.
    Returns:
        The first 16 hexadecimal digits of the SHA-256 of its content.
    """
    return hashlib.sha256(json.dumps(_schema_content(schema)).encode()).hexdigest()[:16]


def _schema_content(schema: ProfileSchema) -> dict[str, Any]:
    return {
        "numbers": {name: asdict(grid) for name, grid in schema.numbers.items()},
        "categories": {
            name: {"top": list(levels.top), "rest": sorted(levels.seen - set(levels.top))}
            for name, levels in schema.categories.items()
        },
        "score": asdict(schema.score) if schema.score else None,
        "slices": list(schema.slices),
        "groups": {name: list(values) for name, values in schema.groups.items()},
        # left out where there is nothing, so that schemas from before there were any keep their id
        **({"embeddings": {name: asdict(own) for name, own in schema.embeddings.items()}} if schema.embeddings else {}),
        **({"moments": list(schema.moments)} if schema.moments else {}),
        **({"weighted": True} if schema.weighted else {}),
    }


def _pack(header: dict[str, Any], cube: Cube, pair: tuple[Ints, Ints], more: Sequence[Ints] = ()) -> bytes:
    """Write a header, a pair of arrays, a cube by its non-zero (score bin, state) pairs, and more arrays."""
    positions: list[Ints] = []
    values: list[Ints] = []
    for part in cube.bins.values():
        flat = part.reshape(-1, part.shape[2])
        own = np.flatnonzero(flat.any(axis=1))
        positions.append(np.diff(own, prepend=0))
        values.append(flat[own])
    shape = next((part.shape for part in cube.bins.values()), (0, 0, 0))
    stacked = np.concatenate(values) if values else np.zeros((0, 3), dtype=np.int64)
    joined = np.concatenate(positions) if positions else np.zeros(0, dtype=np.int64)
    arrays = [_narrowest(array) for array in (*pair, joined, *stacked.T, *more)]
    header = header | {
        "cube": [list(cube.bins), list(shape), [len(own) for own in positions]],
        "arrays": [[array.dtype.str, len(array)] for array in arrays],
    }
    head = json.dumps(header, separators=(",", ":")).encode()
    body = b"".join([len(head).to_bytes(4, "little"), head, *(array.tobytes() for array in arrays)])
    return bytes([VERSION]) + zlib.compress(body, 6)


def _unpack(data: bytes) -> tuple[dict[str, Any], Cube, tuple[NarrowInts, NarrowInts], list[NarrowInts]]:
    if not data or data[0] != VERSION:
        raise ValueError(f"a profile of version {data[0] if data else 'none'} can't be read; version {VERSION} can")
    try:
        body = zlib.decompress(memoryview(data)[1:])
    except zlib.error as error:
        raise ValueError(f"a stored profile is damaged: {error}") from error
    end = 4 + int.from_bytes(body[:4], "little")
    header = json.loads(body[4:end])
    first, second, positions, *rest = _read_arrays(body, end, header["arrays"])
    groups, shape, sizes = header["cube"]
    sums = shape[2] or 3  # an empty cube has no shape, and was written as one of three sums
    values, more = rest[:sums], rest[sums:]
    bins = LazyArrays(partial(_cube_bins, _groups_from_json(groups), shape, sizes, positions, values))
    return header, Cube(bins), (first, second), more


def _cube_bins(
    groups: Sequence[Group],
    shape: Sequence[int],
    sizes: Sequence[int],
    positions: NarrowInts,
    values: Sequence[NarrowInts],
) -> dict[Group, Ints]:
    bins: dict[Group, Ints] = {}
    at, stacked = 0, np.stack(values, axis=1)
    for group, size in zip(groups, sizes, strict=True):
        part = np.zeros((shape[0] * shape[1], shape[2]), dtype=np.int64)
        part[np.cumsum(positions[at : at + size])] = stacked[at : at + size]
        bins[group] = part.reshape(shape)
        at += size
    return bins


def _narrowest(array: NarrowInts) -> NarrowInts:
    """Return the array in the narrowest type that holds all of it, little-endian."""
    low, high = (int(array.min()), int(array.max())) if len(array) else (0, 0)
    width = next(w for w in _WIDTHS if np.iinfo(w).min <= low and high <= np.iinfo(w).max)
    return array.astype(width)


def _read_arrays(body: bytes, at: int, sizes: Sequence[tuple[str, int]]) -> Iterator[NarrowInts]:
    """Yield the arrays in the types that they were written in: most are added up before one is looked at."""
    for kind, size in sizes:
        array = np.frombuffer(body, dtype=kind, count=size, offset=at)
        at += array.nbytes
        yield array


def _groups_from_json(pairs: Sequence[Sequence[str | None]]) -> list[Group]:
    return [(column or "", value) for column, value in pairs]
