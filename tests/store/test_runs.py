from datetime import UTC, datetime

import pandas as pd

from rnnlab.store.record import RunRecord
from rnnlab.store.runs import Runs

START = datetime(2026, 1, 1, tzinfo=UTC)


def runs(n=3, **config):
    return Runs(
        RunRecord(str(i), "x", "COMPLETED", {"model": {"n": i}, "seed": 0, **config}, {"test_loss": i / 7}, START)
        for i in range(n)
    )


def test_a_store_gives_runs_and_so_does_a_slice_of_them(tracked_store, track):
    for _ in range(2):
        track(tracked_store.observer())
    found = tracked_store.store.find()
    assert isinstance(found, Runs)
    assert isinstance(found[:1], Runs)
    assert isinstance(found[0], RunRecord)


def test_a_frame_has_a_row_for_each_run_and_a_column_for_each_key():
    frame = Runs([*runs(), RunRecord("9", "", "DAMAGED", {}, damage="torn")]).to_pandas()
    assert list(frame) == [
        *("id", "experiment", "status", "started", "stopped", "seconds"),
        *("config.model.n", "config.seed", "result.test_loss"),
    ]
    assert list(frame["config.model.n"][:3]) == [0, 1, 2]
    assert frame["status"][3] == "DAMAGED"
    assert pd.isna(frame["result.test_loss"][3])
    assert frame["started"][0] == START


def test_runs_are_shown_as_a_table_of_what_varies_with_nothing_left_unescaped():
    page = runs(3, evil="<script>alert(1)</script>")._repr_html_()
    assert "<th>n</th><th>test_loss</th>" in page
    assert "<td>2</td><td>0.285714</td>" in page
    assert "seed" not in page
    assert "<p>3 runs of x: 3 COMPLETED</p>" in page
    assert "<th>experiment</th>" not in page
    assert "<th>experiment</th>" in Runs([*runs(1), RunRecord("9", "y", "FAILED", {})])._repr_html_()
    varied = Runs([*runs(1, evil="<script>"), *runs(1, evil="&")])._repr_html_()
    assert "<script>" not in varied
    assert "&lt;script&gt;" in varied
    assert "and 20 more" in runs(120)._repr_html_()
    assert Runs()._repr_html_()


def test_a_run_is_shown_with_its_result_and_config():
    page = runs(2, evil="<b>")[1]._repr_html_()
    assert "run 1 &middot; x &middot; COMPLETED &middot; 2026-01-01 00:00" in page
    assert "<tr><td>model.n</td><td>1</td></tr>" in page
    assert "<tr><td>test_loss</td><td>0.142857</td></tr>" in page
    assert "<b>" not in page.replace("<p><b>", "")
    assert "torn &lt;" in RunRecord("9", "", "DAMAGED", {}, damage="torn <")._repr_html_()
