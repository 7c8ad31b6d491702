"""What the three commands pass on to rnnlab.analysis, where comparisons, pictures and reports are tested."""

import json
import os
import re

import pytest

SIGNATURES = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


@pytest.fixture
def runs(train, fail):
    for n_hidden in (5, 20):
        for seed in range(2):
            train(n_hidden, seed, data={"seed": None})
    fail("no luck", model={"n_hidden": 20, "cell": "elman"}, data={"seed": None}, seed=2)


def test_groups_are_compared_by_what_varies(rnnlab, runs, address):
    ended = rnnlab("compare", "--store", address)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("test_loss by n_hidden, best first\n")
    cells = [re.split(r" {2,}", line.strip()) for line in ended.out.splitlines()]
    assert ["20", "2 of 3", "0.05050"] in [row[:3] for row in cells]
    assert "not averaged: n_hidden=20: 1 failed" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_options_reach_the_comparison(rnnlab, runs, address):
    def found(*options):
        return json.loads(rnnlab("compare", "--store", address, "--json", *options).out)

    assert found()["metric"] == "test_loss"
    chosen = found("--metric", "valid.loss@last", "--interval", "bootstrap", "--level", "0.8", "--by", "seed")
    assert [chosen[name] for name in ("metric", "by", "interval", "level")] == [
        "valid.loss@last",
        ["seed"],
        "bootstrap",
        0.8,
    ]
    assert found("--by", "seed,model.n_hidden")["by"] == found("--by", "seed", "--by", "model.n_hidden")["by"]
    tested = found("--baseline", "model.n_hidden=5", "--test", "wilcoxon")
    assert (tested["baseline"], tested["test"]) == ("model.n_hidden=5", "wilcoxon")
    assert found()["rows"][0]["model.n_hidden"] == 20
    assert found("--higher-is-better", "--where", "model.n_hidden=5")["rows"][-1]["best"] == pytest.approx(0.201)
    assert found("--run", "1", "--run", "2")["rows"][-1]["n"] == 2
    assert found("--status", "COMPLETED", "--experiment", "dot_product")["rows"][-1]["failed"] == 0


def test_a_comparison_comes_in_each_format(rnnlab, runs, address):
    assert rnnlab("compare", "--store", address, "--csv").out.startswith("group,kind,model.n_hidden,runs,")
    assert rnnlab("compare", "--store", address, "--markdown").out.startswith("| n_hidden")
    assert rnnlab("compare", "--store", address, "--latex").out.startswith(r"\begin{tabular}")
    assert rnnlab("compare", "--store", address, "--latex", "--csv").code == 2


@pytest.mark.parametrize("tracked_store", ["files"], indirect=True)
@pytest.mark.parametrize("kind", ["curves", "metric", "heatmap", "parallel"])
def test_each_kind_of_picture_is_drawn(rnnlab, runs, address, tmp_path, kind):
    for ending, signature in SIGNATURES.items():
        by = ["--by", "model.n_hidden", "--by", "seed"] if kind == "heatmap" else []
        ended = rnnlab("plot", kind, "--store", address, *by, "-o", tmp_path / f"picture{ending}")
        assert (ended.code, ended.out) == (0, f"picture: {tmp_path / f'picture{ending}'}\n"), ended.err
        assert (tmp_path / f"picture{ending}").read_bytes().startswith(signature)


@pytest.mark.parametrize("tracked_store", ["files"], indirect=True)
def test_options_reach_the_picture(rnnlab, runs, address, tmp_path):
    def texts(*options):
        ended = rnnlab("plot", *options, "--store", address, "-o", tmp_path / "p.svg")
        assert ended.code == 0, ended.err
        return set(re.findall(r"<!-- (.*?) -->", (tmp_path / "p.svg").read_text()))

    assert {"updates", "n_hidden"} <= texts()
    # The tests' runs do not log the other axes: that the axis is asked for shows in the error.
    assert rnnlab("plot", "--x", "seconds", "--store", address, "-o", tmp_path / "p.svg").code == 1
    linear = ["--log", "none", "--band", "sd"]
    assert "1 of 5 runs have no valid.loss" in texts("--metric", "valid.loss", "--by", "seed", *linear)
    panels = texts("--small-multiples", "model.n_hidden", "--smooth", "0.5")
    assert {"n_hidden=5", "n_hidden=20"} <= panels
    assert {"model.n_hidden", "valid_loss"} <= texts("metric", "--metric", "valid_loss", "--interval", "bootstrap")


def test_bad_questions_are_one_line(rnnlab, runs, address, tmp_path):
    picture = ["-o", tmp_path / "p.png"]
    for arguments, words in [
        (["compare", "--by", "n_hiden"], "unknown config key 'n_hiden': did you mean"),
        (["compare", "--metric", "tset_loss"], "unknown metric 'tset_loss': did you mean test_loss"),
        (["compare", "--baseline", "model.n_hidden=7"], "baseline 'model.n_hidden=7' matches no group"),
        (["compare", "--interval", "z"], "interval 'z': must be one of t, bootstrap"),
        (["compare", "--where", "seed=9"], "no runs match"),
        (["plot", "--x", "hours", *picture], "x axis 'hours'"),
        (["plot", "--log", "z", *picture], "log 'z': must be one of"),
        (["plot", "--small-multiples", "n_hiden", *picture], "unknown config key 'n_hiden'"),
        (["plot", "-o", tmp_path / "p.gif"], f"picture '{tmp_path}/p.gif': the file's ending must be one of .png"),
        (["plot", "heatmap", *picture], "a heat map is over two keys, give --by twice; what varies is model.n_hidden"),
        (["plot", "metric", "--metric", "a,b", *picture], "this picture shows one metric, not a and b"),
        (["plot", "metric", "--where", "model.n_hidden=5", *picture], "no config key varies over these runs"),
        (["plot", "--where", "seed=9", *picture], "no runs match"),
        (["report", "--where", "seed=9", "-o", tmp_path / "r.html"], "no runs match"),
    ]:
        ended = rnnlab(*arguments, "--store", address)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith(f"error: {words}"), ended.err
        assert ended.err.count("\n") == 1
    assert not list(tmp_path.glob("*.png"))


def test_a_kind_of_picture_or_report_that_is_none_is_wrong_usage(rnnlab, address, tmp_path):
    assert rnnlab("plot", "pie", "--store", address, "-o", tmp_path / "p.png").code == 2
    assert rnnlab("report", "--store", address, "-o", tmp_path / "r.pdf").code == 2


@pytest.mark.parametrize("tracked_store", ["files"], indirect=True)
def test_without_a_file_a_picture_is_shown_on_the_screen_or_a_file_is_asked_for(
    rnnlab, runs, address, tmp_path, monkeypatch
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    ended = rnnlab("plot", "--store", address)
    assert (ended.code, ended.err) == (1, "error: there is no screen here: name a file, such as -o picture.png\n")

    (tmp_path / "xdg-open").write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/shown\n')
    (tmp_path / "xdg-open").chmod(0o755)
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert rnnlab("plot", "--store", address).code == 0


def test_a_report_is_one_html_file(rnnlab, runs, address, tmp_path):
    path = tmp_path / "deeper" / "r.html"
    options = ["--title", "<b>Widths</b>", "--baseline", "model.n_hidden=5", "--by", "model.n_hidden"]
    ended = rnnlab("report", "--store", address, "-o", path, *options)
    assert (ended.code, ended.out, ended.err) == (0, f"report: {path}\n", "")
    page = path.read_text()
    assert "<title>&lt;b&gt;Widths&lt;/b&gt;</title>" in page
    assert "difference from model.n_hidden=5" in page


def test_nothing_in_a_store_acts_on_the_terminal(rnnlab, train, address):
    for seed in range(2):
        train(5, seed, model={"n_hidden": 5, "cell": "\x1b[31m[red]"})
        train(6, seed, model={"n_hidden": 6, "cell": "elman"})
    for options in ([], ["--csv"], ["--markdown"], ["--latex"], ["--baseline", "model.n_hidden=6"]):
        printed = rnnlab("compare", "--store", address, *options).out
        assert printed
        assert "\x1b" not in printed
