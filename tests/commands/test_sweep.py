import json
from pathlib import Path

import pytest

from rnnlab.store import open_store

SCRIPT = Path(__file__).parents[2] / "experiments" / "dot_product.py"
TINY = (
    *("--set", "data.n_train=20", "--set", "data.n_valid=10", "--set", "data.n_test=10", "--set", "model.n_hidden=2"),
    *("--set", "training.max_epochs=2", "--set", "training.batch_size=10"),
)

SOON = "serverSelectionTimeoutMS=100"


@pytest.fixture
def failing(tmp_path):
    """An experiment of which every other seed fails, with words that hold markup and what a terminal would obey."""
    path = tmp_path / "failing.py"
    text = SCRIPT.read_text().replace('"dot_product", base_dir=ROOT', '"failing", base_dir=Path(__file__).parent')
    text = text.replace("        dot_product,\n", "        odd,\n", 1)
    odd = (
        "def odd(rng, n_sequences, n_steps=4, broken=False):\n"
        "    if broken and n_sequences > 1:\n"
        '        raise ValueError("[red]odd\\x1b[31m")\n'
        "    return dot_product(rng, n_sequences, n_steps=n_steps)\n\n\n"
        "def build()"
    )
    path.write_text(text.replace("def build()", odd, 1))
    return path


def test_a_sweep_runs_what_is_left_and_tells_what_it_did(rnnlab, address):
    space = (SCRIPT, *TINY, "--seeds", 2, "--store", address, "--workers", 0)
    ended = rnnlab("sweep", *space)
    assert (ended.code, ended.out) == (0, "")
    assert "2 variants: 0 done in" in ended.err
    assert "2 done, 0 running, 0 failed, 0 left" in ended.err.splitlines()[-1]
    assert "best valid_loss" in ended.err
    ended = rnnlab("sweep", *space, "--json")
    assert ended.code == 0
    told = json.loads(ended.out)
    assert (told["variants"], told["done_before"], told["completed"], told["left"]) == (2, 2, 0, 0)
    assert len(open_store(address).find()) == 2


def test_a_dry_run_shows_what_is_done_and_what_is_left_in_80_columns_and_runs_nothing(rnnlab, address):
    rnnlab("sweep", SCRIPT, *TINY, "--seeds", 1, "--store", address, "--workers", 0)
    grid = ("--grid", "training.learning_rate=0.005,0.1", "--seeds", 2)
    ended = rnnlab("sweep", SCRIPT, *TINY, *grid, "--store", address, "--dry-run")
    assert ended.code == 0
    rows = [line.split() for line in ended.out.splitlines()]
    assert rows[0] == ["#", "learning_rate", "seed", "state", "run"]
    assert rows[1:5] == [
        ["1", "0.005", "0", "done", "1"],
        ["2", "0.005", "1", "left"],
        ["3", "0.1", "0", "left"],
        ["4", "0.1", "1", "left"],
    ]
    assert rows[5][:4] == ["4", "variants:", "1", "done"]
    assert all(len(line) <= 80 for line in ended.out.splitlines()[:5])
    told = json.loads(rnnlab("sweep", SCRIPT, *TINY, *grid, "--store", address, "--dry-run", "--json").out)
    assert [(each["state"], each["run"], each["settings"]["seed"]) for each in told] == [
        ("done", "1", 0),
        ("left", None, 1),
        ("left", None, 0),
        ("left", None, 1),
    ]
    assert len(open_store(address).find()) == 1


def test_a_space_of_many_settings_is_listed_in_80_columns_with_one_column_for_all(rnnlab, tmp_path):
    keys = (
        "training.learning_rate",
        "training.momentum",
        "training.input_noise_std",
        "training.clip_norm",
        "training.rho",
    )
    grid = [word for key in keys for word in ("--grid", f"{key}=0.125,0.25")]
    ended = rnnlab("sweep", SCRIPT, *TINY, *grid, "--seeds", 1, "--store", tmp_path / "results", "--dry-run")
    lines = ended.out.splitlines()
    assert lines[0].split() == ["#", "settings", "state", "run"]
    assert lines[1].split()[:2] == ["1", "learning_rate=0.125,"]
    assert all(len(line) <= 80 for line in lines[:-1])
    assert [line.split()[-1] for line in lines if line[:2].strip().isdigit()].count("left") == 32


def test_failures_are_listed_with_how_to_run_them_again_and_the_exit_code_says_so(rnnlab, failing, tmp_path):
    space = (failing, *TINY, "--grid", "task.broken=false,true", "--store", tmp_path / "results", "--workers", 0)
    ended = rnnlab("sweep", *space)
    assert ended.code == 1
    assert "\x1b" not in ended.out
    assert "[red]odd" in ended.out
    assert "task.broken=true" in ended.out
    assert "--retry-failed" in ended.out
    assert "error: 1 variant failed, 0 left" in ended.err

    again = rnnlab("sweep", *space)
    assert again.code == 1
    assert "1 failed before and are left out; --retry-failed runs them again" in again.err
    assert len(open_store(tmp_path / "results").find()) == 2
    assert "failed" in rnnlab("sweep", *space, "--dry-run").out
    assert rnnlab("sweep", *space, "--retry-failed").code == 1
    assert len(open_store(tmp_path / "results").find()) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sweep.yaml",), "sweep.yaml: cannot be read: No such file"),
        (("none.py",), 'experiment: there is no experiment script "none.py"'),
        (("sweep.txt",), "sweep.txt: must be a sweep specification (.yaml) or an experiment script (.py)"),
        ((SCRIPT, "--grid", "model.n_hiden=5"), "--grid model.n_hiden: unknown config key model.n_hiden: did you mean"),
        ((SCRIPT, "--set", "model.n_hidden=0"), "--set model.n_hidden: model.n_hidden = 0: must be a whole number"),
        ((SCRIPT, "--with", "pots"), '--with: unknown named config "pots"; did you mean "post"?'),
        ((SCRIPT, "--seeds", "200_000"), "has 200,000 variants; a sweep has at most 100,000"),
        ((SCRIPT, "--store", f"mongodb://127.0.0.1:9/runs?{SOON}"), "store mongodb://127.0.0.1:9/runs: no answer"),
        ((SCRIPT, "--store", f"mongodb://ada:secret@127.0.0.1:9/r?{SOON}"), "store mongodb://127.0.0.1:9/r: no answer"),
        ((SCRIPT, "--store", "taken"), "taken: is a file, not a directory"),
        ((SCRIPT, "--scheduler", "tcp://127.0.0.1:9"), "no Dask scheduler answers at tcp://127.0.0.1:9"),
        ((SCRIPT, "--scheduler", "nonsense://x"), "no Dask scheduler answers at nonsense://x"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_started(rnnlab, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rnnlab.sweep.dask_pools._SECONDS_TO_CONNECT", 0.5)
    (tmp_path / "taken").write_text("a file")
    ended = rnnlab("sweep", *arguments)
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert (ended.code, ended.out) == (1, "")
    assert line.startswith(f"error: {message}") or message in line
    assert "secret" not in ended.err
    assert "Traceback" not in ended.err
    assert not any(path.name.isdigit() for path in tmp_path.rglob("*"))


def test_an_error_in_a_specification_names_its_line(rnnlab, tmp_path):
    (tmp_path / "bad.py").write_text("import nothing_of_the_kind\n")
    for text, message in (
        ("experiment: bad.py\ngird: {}\n", ':2: unknown key "gird"; did you mean "grid"?'),
        ("seeds: 2\nexperiment: bad.py\n", ":2: "),
        (f"experiment: {SCRIPT}\ngrid:\n  model.n_hidden: [5, five]\n", ":3: model.n_hidden = 'five': must be"),
    ):
        (tmp_path / "sweep.yaml").write_text(text)
        ended = rnnlab("sweep", tmp_path / "sweep.yaml", "--store", tmp_path / "results")
        assert ended.code == 1
        assert f"sweep.yaml{message}" in ended.err
        assert len(ended.err.splitlines()) == 1
        assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("sweep.yaml", "--seeds", "3"),
        (SCRIPT, "--workers", 2, "--scheduler", "tcp://x:1"),
        (SCRIPT, "--workers", -1),
        (),
    ],
)
def test_wrong_usage_ends_with_2(rnnlab, arguments):
    assert rnnlab("sweep", *arguments).code == 2
