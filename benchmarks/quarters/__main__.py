"""Play quarters and print what the limits made of them."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from scipy import special

from benchmarks.quarters.model import SPEC
from benchmarks.quarters.play import CHANGES, caught, quiet

SEEDS = range(5)


def poisson(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of what a count is on average (Garwood, Biometrika 1936)."""
    return float(special.chdtri(2 * count, 0.975)) / 2 if count else 0.0, float(
        special.chdtri(2 * count + 2, 0.025)
    ) / 2


def main(quarters: int = 200, rows: int = 2000) -> None:
    """Print pages and breaches of quiet quarters, then on which day each change is caught."""
    with ProcessPoolExecutor(2) as pool:
        played = list(pool.map(partial(quiet, rows=rows), range(1000, 1000 + quarters)))
        pages = [page for one in played for page in one.pages]
        low, high = (each / quarters for each in poisson(len(pages)))
        print(
            f"{quarters} quiet quarters at {rows:,} rows: {len(pages) / quarters:.3f} pages a quarter (95 %: {low:.3f} "
            f"to {high:.3f}); the budget is {SPEC.alerts.false_pages_per_quarter:g}"
        )
        print(f"  {sum(bool(one.breaches) for one in played)} quarters with any breach")
        for page in pages:
            print("  ", page)
        for name in CHANGES:
            print(f"{name}: caught on day {list(pool.map(partial(caught, name, rows=rows), SEEDS))}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quarters", description=__doc__)
    parser.add_argument("quarters", nargs="?", type=int, default=200, help="how many (200)")
    parser.add_argument("rows", nargs="?", type=int, default=2000, help="payments a day (2000)")
    main(**vars(parser.parse_args()))
