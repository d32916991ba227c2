"""Who may ask: bearer tokens, of which only hashes are known here."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import WatchkeeperError

READ, WRITE = "read", "write"
ACCEPTED = "accepted is name:sha256:read or name:sha256:read+write, several with commas between"
_ENTRY = re.compile(r"([A-Za-z0-9_.-]{1,30}):([0-9a-fA-F]{64}):(read\+write|write|read)")


@dataclass(frozen=True)
class Caller:
    """A program or person known by a token, and what it may do."""

    name: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Token:
    """A caller and the SHA-256 of its token, as hexadecimal digits."""

    caller: Caller
    sha256: str


def parse_tokens(setting: str) -> list[Token]:
    """Return the tokens of ``WATCHKEEPER_API_TOKENS``; raise WatchkeeperError for an entry that can't be read.

    The message never shows the entry: somebody may have put the token itself there.
    """
    entries = [entry.strip() for entry in setting.split(",") if entry.strip()]
    found = []
    for number, entry in enumerate(entries, 1):
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise WatchkeeperError(f"WATCHKEEPER_API_TOKENS: entry {number} can't be read; {ACCEPTED}")
        name, sha256, scopes = match.groups()
        found.append(Token(Caller(name, frozenset(scopes.split("+"))), sha256.lower()))
    names = [token.caller.name for token in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise WatchkeeperError(f"WATCHKEEPER_API_TOKENS: '{twice[0]}' is there twice; each name has one token")
    return found


def find_caller(tokens: Sequence[Token], authorization: str) -> Caller | None:
    """Return whose token an Authorization header carries; every hash is compared, each in constant time."""
    scheme, _, token = authorization.partition(" ")
    given = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).hexdigest()
    matching = [each.caller for each in tokens if hmac.compare_digest(each.sha256, given)]
    return matching[0] if matching and scheme.lower() == "bearer" and token.strip() else None
