"""What an incident is called: readable, the same at every run, and safe as a file name."""

from __future__ import annotations

import hashlib
import re
from datetime import date

from alerting.incidents.inhibition import IncidentKey

MAX_SLUG_CHARACTERS = 60
_SIGNS = str.maketrans({"=": "-", "+": "plus", "<": "under", ">": "over"})


def incident_id(model: str, opened: date, key: IncidentKey) -> str:
    """Return ``<model>-<day opened>-<cause>``, then the feature or slice where the incident is about one."""
    cause, feature, slice_ = key
    parts = [model, f"{opened:%Y%m%d}", str(cause), *(_slug(part) for part in (feature, slice_) if part)]
    return "-".join(parts)


def _slug(name: str) -> str:
    """Return a name from data in letters, digits, ``_`` and ``-``; where that loses something, with a digest."""
    readable = name.translate(_SIGNS)
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", readable).strip("-")[:MAX_SLUG_CHARACTERS]
    if slug == readable:
        return slug
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{slug}-{digest}" if slug else digest
