"""How often each caller may ask: a bucket of tokens that fills again with time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Limiter:
    """Lets each name ask ``burst`` times at once and ``per_second`` times a second from then on.

    ``clock`` returns seconds. Names are those of callers that are known already, so that there are few.
    """

    def __init__(self, burst: int = 60, per_second: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.burst, self.per_second, self._clock = burst, per_second, clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait_seconds(self, name: str) -> float:
        """Take one from a name's bucket and return 0, or return how long until there is one."""
        with self._lock:
            now = self._clock()
            left, since = self._buckets.get(name, (float(self.burst), now))
            left = min(float(self.burst), left + (now - since) * self.per_second)
            if left < 1:
                return (1 - left) / self.per_second
            self._buckets[name] = (left - 1, now)
            return 0.0
