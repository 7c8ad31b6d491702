import html.parser
import re

import pytest

from rnnlab.analysis.groups import AnalysisError
from rnnlab.analysis.report import render_report, write_report
from rnnlab.analysis.reproduce import reproduce_command

EVIL = "<script>alert('x')</script>--><b>"


class Reader(html.parser.HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href", "data", "srcset")]

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def sweep(runs):
    for n_hidden in (5, 20):
        for seed in range(6):
            runs.add_training(
                n_hidden,
                seed,
                0.2 / n_hidden,
                n_epochs=8 + seed,
                meta={"config_updates": {"model": {"n_hidden": n_hidden}}},
            )
    runs.add_training(20, 6, 1.0, 5, status="FAILED", fail_trace="Traceback\n" + "line\n" * 30 + f"ValueError: {EVIL}")
    runs.add_training(20, 7, 1.0, 5, stop_reason="diverged")
    return runs


def test_the_report_tells_the_whole_story(sweep):
    text = " ".join(" ".join(Reader(render_report(sweep.records(), baseline="model.n_hidden=5")).text).split())
    assert "14 runs (12 completed, 1 diverged, 1 failed), started 2024-05-01." in text
    assert "Best mean test_loss: n_hidden=20 with" in text
    assert "model.n_hidden 5, 20" in text
    assert "training.learning_rate = 0.01" in text
    assert "predict the mean" in text
    assert "better (6 seeds)" in text
    assert "run 13 (n_hidden=20, seed 6): failed." in text
    assert "run 14 (n_hidden=20, seed 7): diverged." in text
    assert "jax 0.10.2" in text
    assert "python experiments/dot_product.py with model.n_hidden=20 seed=3" in text


def test_the_report_needs_no_network_and_no_script(sweep):
    page = render_report(sweep.records())
    reader = Reader(page)
    assert "script" not in reader.tags
    assert "link" not in reader.tags
    assert reader.tags.count("svg") == 2
    assert all(link.startswith(("#", "data:")) for link in reader.links)
    assert not re.search(r"@import|url\((?!#)", page)


@pytest.mark.parametrize("odd", [["a", 1], 5, "x", True])
def test_info_of_another_shape_than_rnnlab_writes_takes_no_part(runs, odd):
    runs.add(seed=0, result={"test_loss": 1.0}, info={"environment": odd, "early_stopping": odd, "resumed_from": odd})
    story = {"improvements": odd, "reason": odd, "message": odd}
    runs.add(seed=1, result={"test_loss": 1.0}, info={"early_stopping": story})
    runs.add(seed=2, status="LOST")
    assert "3 runs (2 completed, 1 lost)" in " ".join(Reader(render_report(runs.records())).text)


def test_half_a_letter_in_a_run_is_written_out(runs, tmp_path):
    for seed in range(2):
        runs.add_training(20, seed, 0.1, 5, model__note="\ud800")
    assert r"\ud800" in write_report(runs.records(), tmp_path / "report.html").read_text()


def test_values_from_runs_are_escaped_everywhere(runs):
    for seed in range(2):
        runs.add_training(20, seed, 0.1, 5, experiment=EVIL, model__note=EVIL, packages={"numpy": EVIL})
        runs.add_training(20, seed, 0.1, 5, experiment=EVIL, model__note="$x", packages={"numpy": EVIL})
    runs.add_training(20, 9, 0.1, 5, status="FAILED", experiment=EVIL, fail_trace=EVIL, model__note=EVIL)
    page = render_report(runs.records(), title=EVIL)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5
    assert "b" not in Reader(page).tags


def test_only_the_last_lines_of_a_traceback_are_shown(sweep):
    page = render_report(sweep.records())
    (shown,) = re.findall(r"<pre>(.*?)</pre>", page, flags=re.DOTALL)
    assert len(shown.splitlines()) == 8
    assert "ValueError" in shown.splitlines()[-1]


@pytest.mark.parametrize("keys", [1, 2, 3])
def test_sweeps_over_one_two_or_more_keys_have_a_picture_that_fits(runs, keys):
    for n_hidden in (5, 20):
        for rate in (0.1, 0.01)[: min(keys, 2)]:
            for name in ("sgd", "adam")[: max(keys - 1, 1)]:
                runs.add_training(n_hidden, 0, rate, 5, training__learning_rate=rate, training__optimizer=name)
    page = render_report(runs.records())
    assert Reader(page).tags.count("svg") == 2
    assert "test_loss against model.n_hidden" in page


def test_a_report_on_failed_or_single_runs_is_still_one(runs):
    runs.add(status="FAILED", fail_trace="ValueError: no", captured_out="x")
    page = render_report(runs.records())
    assert "No run has anything to draw yet." in page
    assert "ValueError: no" in page
    runs.add_training(20, 3, 0.1, 5)
    assert "<svg" in render_report(runs.records()[1:])


def test_the_report_is_written_whole_and_no_runs_is_an_error(sweep, tmp_path):
    path = write_report(sweep.records(), tmp_path / "reports" / "sweep.html")
    assert path.read_text().rstrip().endswith("</html>")
    assert [p.name for p in path.parent.iterdir()] == ["sweep.html"]
    with pytest.raises(AnalysisError, match="no runs match"):
        write_report([], tmp_path / "empty.html")
    assert not (tmp_path / "empty.html").exists()


def test_the_command_names_configs_updates_and_the_seed_as_the_shell_and_sacred_read_them(runs):
    updates = {
        "model": {"n_hidden": 50},
        "task": {"n_steps": [5, 10]},
        "training": {"optimizer": "adam", "note": "a b"},
    }
    runs.add(seed=3, meta={"named_configs": ["post"], "config_updates": updates})
    assert reproduce_command(runs.records()[0]) == (
        "python experiments/dot_product.py with post model.n_hidden=50 'task.n_steps=[5, 10]' "
        "training.optimizer=adam 'training.note=a b' seed=3"
    )


def test_text_that_reads_as_a_number_stays_text_and_missing_updates_give_the_whole_config(runs):
    runs.add(seed=1, model__note="10", meta={"config_updates": None})
    command = reproduce_command(runs.records()[0])
    assert "\"model.note='10'\"" in command or "'model.note='\"'\"'10'\"'\"''" in command
    assert "model.n_hidden=20" in command
    assert "data.seed=None" in command
