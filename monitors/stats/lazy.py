"""A mapping whose values are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class LazyMapping(Mapping[_Key, _Value]):
    """A mapping whose keys, in order, and values are made once, when they are asked for: few of many are."""

    def __init__(self, keys: Callable[[], Iterable[_Key]], make: Callable[[_Key], _Value]) -> None:
        self._ask, self._make, self._made = keys, make, dict[_Key, _Value]()

    @cached_property
    def _keys(self) -> dict[_Key, None]:
        return dict.fromkeys(self._ask())

    def __getitem__(self, key: _Key) -> _Value:
        if key not in self._made:
            if key not in self:
                raise KeyError(key)
            self._made[key] = self._make(key)
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
