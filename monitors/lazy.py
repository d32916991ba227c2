"""A mapping whose values are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Lazy(Mapping[_Key, _Value]):
    """A mapping of known keys, in order; each value is made once, when it is asked for: few of many are."""

    def __init__(self, keys: Collection[_Key], make: Callable[[_Key], _Value]) -> None:
        self._keys, self._make, self._made = dict.fromkeys(keys), make, dict[_Key, _Value]()

    def __getitem__(self, key: _Key) -> _Value:
        if key not in self._keys:
            raise KeyError(key)
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
