"""`python -m benchmarks.incidents.nannyml_days FOLDER`: what NannyML alerts on, day by day, at its defaults.

It runs in NannyML's own environment, so it imports nothing of this repository. FOLDER holds ``ask.json`` (numbers,
categories, branches) and, for the baseline and each branch, ``<name>.parquet`` with a row for each payment (columns
and ``timestamp``) and ``<name>.labels.parquet`` (``timestamp``, ``score``, ``predicted``, ``is_fraud`` as known when
the day's labels are due). The answer, ``answer.json``, has for each branch ``[day, what, calculators]`` an alert.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

METRICS = ("roc_auc", "recall", "precision", "f1")
ROWS, PERFORMANCE = "(rows)", "(performance: {})"


def main() -> None:
    """Fit every calculator on the baseline once, and ask it about the days of each branch."""
    import nannyml  # noqa: PLC0415  takes seconds
    import pandas as pd  # noqa: PLC0415  see above

    folder = Path(sys.argv[1])
    ask = json.loads((folder / "ask.json").read_text(encoding="utf-8"))
    numbers, categories = ask["numbers"], ask["categories"]
    by_day: dict[str, Any] = {"timestamp_column_name": "timestamp", "chunk_period": "D"}
    every = [*numbers, *categories]
    on_rows = [
        nannyml.UnivariateDriftCalculator(
            column_names=every, treat_as_numerical=numbers, treat_as_categorical=categories, **by_day
        ),
        nannyml.MissingValuesCalculator(column_names=every, **by_day),
        nannyml.UnseenValuesCalculator(column_names=categories, **by_day),
        nannyml.SummaryStatsRowCountCalculator(**by_day),
    ]
    on_labels = nannyml.PerformanceCalculator(
        metrics=list(METRICS), y_true="is_fraud", y_pred="predicted", y_pred_proba="score",
        problem_type="classification_binary", **by_day,
    )  # fmt: skip

    def read(name: str) -> Any:
        frame = pd.read_parquet(folder / f"{name}.parquet")
        return frame.astype(dict.fromkeys(set(categories) & set(frame.columns), "category"))

    baseline = read("baseline")
    for calculator in on_rows:
        calculator.fit(baseline)
    on_labels.fit(read("baseline.labels"))
    answer = {}
    for branch in ask["branches"]:
        days = read(branch)
        alerts = [alert for calculator in on_rows for alert in _alerts(calculator.calculate(days))]
        if (folder / f"{branch}.labels.parquet").exists():
            found = _alerts(on_labels.calculate(read(f"{branch}.labels")))
            alerts += [(day, PERFORMANCE.format(metric)) for day, metric in found]
        answer[branch] = [[*alert, count] for alert, count in Counter(alerts).items()]
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _alerts(result: Any) -> list[tuple[str, str]]:
    """Return the day and subject of each alert on days that aren't the baseline's."""
    frame = result.filter(period="analysis").to_df()
    frame.columns = ["/".join(dict.fromkeys(name)) for name in frame.columns.to_flat_index()]
    found = []
    for name in frame.columns:
        what, _, last = name.partition("/")
        if last.endswith("alert"):
            subject = ROWS if what == "rows_count" else what
            days = frame.loc[frame[name].astype(bool), "chunk/start_date"]
            found += [(str(day)[:10], subject) for day in days]
    return found


if __name__ == "__main__":
    main()
