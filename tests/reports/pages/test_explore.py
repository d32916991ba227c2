from __future__ import annotations

import json
import re
from pathlib import Path

import plotly.graph_objects
import pytest

from ledger.store import Ledger
from models.spec import Spec
from reports.pages import explore
from reports.views.model_view import ModelView


def test_every_headline_metric_and_the_drift_of_features_share_one_time_axis(ledger: Ledger, specs: list[Spec]) -> None:
    figure = explore.build_plotly_figure(ModelView(ledger, specs[0]))
    kinds = [trace["type"] for trace in figure["data"]]
    assert (kinds.count("heatmap"), kinds[-1]) == (1, "heatmap")
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert titles == ["Recall", "Precision", "Value detection rate", "False-positive rate", "Drift of features (PSI)"]
    axes = [axis for name, axis in figure["layout"].items() if name.startswith("xaxis")]
    assert len({axis.get("matches") for axis in axes if "matches" in axis}) == 1
    recall = next(trace for trace in figure["data"] if trace["name"] == "realised")
    assert all(low >= 0 and high >= 0 for low, high in zip(recall["error_y"]["arrayminus"], recall["error_y"]["array"],
                                                           strict=True))  # fmt: skip


def test_the_figure_is_one_that_plotly_knows(ledger: Ledger, specs: list[Spec]) -> None:
    figure = explore.build_plotly_figure(ModelView(ledger, specs[0]))
    rows = plotly.graph_objects.Figure(figure)  # raises for a key or a value that it doesn't know
    bottoms = [axis["domain"][0] for name, axis in rows.to_dict()["layout"].items() if name.startswith("yaxis")]
    assert bottoms == sorted(bottoms, reverse=True)
    assert bottoms[-1] == pytest.approx(0, abs=1e-9)


def test_a_model_that_was_never_measured_has_nothing_to_explore(ledger: Ledger, specs: list[Spec]) -> None:
    assert explore.build_plotly_figure(ModelView(ledger, specs[2])) == {}


def test_the_page_holds_the_figure_as_data_and_loads_plotly_from_beside_it(site: Path) -> None:
    page = (site / "models/card_payments/explore.html").read_text(encoding="utf-8")
    assert len(page) < 500_000
    (data,) = re.findall(r'<script type="application/json" id="figure">(.*?)</script>', page, re.DOTALL)
    assert (
        json.loads(data)
        == json.loads((site / "models/card_payments/explore.json").read_text(encoding="utf-8"))["figure"]
    )
    assert re.findall(r'src="([^"]+plotly[^"]+)"', page) == ["../../assets/plotly.min.js"]
    assert (site / "assets/plotly.min.js").stat().st_size > 1_000_000
    assert "explore.html" in (site / "models/card_payments/index.html").read_text(encoding="utf-8")
