"""Play quarters and print what the limits made of them: ``python -m benchmarks.quarters [quarters] [rows]``."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial

from benchmarks.quarters.play import CHANGES, caught, quiet

if __name__ == "__main__":
    quarters, rows = (int(a) for a in (*sys.argv[1:], *("200", "2000")[len(sys.argv) - 1 :]))
    with ProcessPoolExecutor(2) as pool:
        played = list(pool.map(partial(quiet, rows=rows), range(1000, 1000 + quarters)))
    pages = sum(len(one.pages) for one in played)
    print(f"{quarters} quiet quarters at {rows} rows: {pages / quarters:.3f} pages a quarter")
    for one in played:
        for page in one.pages:
            print("  ", page)
    for name in CHANGES:
        delays = [caught(name, seed, rows) for seed in range(5)]
        print(f"{name}: caught on day {delays}")
