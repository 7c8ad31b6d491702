"""`rnnlab evaluate` and `rnnlab predict` on real runs, trained for a moment by the scripts themselves."""

import csv
import importlib.util
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlab.evaluation.prediction import load_model
from rnnlab.random_streams import stream
from rnnlab.store import open_store
from rnnlab.tasks.dot_product import dot_product

ROOT = Path(__file__).resolve().parents[2]
TINY = ["data.n_train=20", "data.n_valid=8", "data.n_test=12", "model.n_hidden=3", "training.max_epochs=2"]
TINY += ["training.batch_size=10"]
RUNS = {
    "dot_product": ["task.n_steps=5"],
    "noisy_series": ["task.n_steps=6", "task.n_out=3", "task.n_oscillators=1"],
    "sea_surface": ["task.n_steps=12"],
}
SEA = "datasets/pacific_sea_surface_temperature.csv"
REGIONS = "nino1+2,nino3,nino4,nino3.4"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with run 1 of the dot product, run 2 of the noisy series and run 3 of the sea surface."""
    folder = tmp_path_factory.mktemp("runs")
    for name, task in RUNS.items():
        spec = importlib.util.spec_from_file_location(f"trained_{name}", ROOT / "experiments" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        run = module.build().run_commandline([f"{name}.py", "-F", str(folder), "with", *TINY, *task])
        assert run.status == "COMPLETED"
    return folder


@pytest.fixture(autouse=True)
def at_the_root(store, monkeypatch):
    monkeypatch.setenv("RNNLAB_STORE", str(store))
    monkeypatch.chdir(ROOT)


@pytest.fixture
def model(store):
    return lambda run_id: load_model(open_store(store).get(run_id))


def read_csv(text):
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def numbers(text):
    return np.array([[float(cell) for cell in row] for row in read_csv(text)[1]])


# evaluate


def test_errors_at_each_length_are_those_of_the_model_on_fresh_sequences(rnnlab, model):
    ended = rnnlab("evaluate", 1, "--lengths", "3,9", "--sequences", 40, "--seed", 5, "--json")
    assert (ended.code, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert (found["run"], found["trained_on"], found["stream"], found["seed"]) == ("1", 5, "evaluation", 5)
    assert [length["n_steps"] for length in found["lengths"]] == [3, 9]
    for length in found["lengths"]:
        n_steps = length["n_steps"]
        fresh = dot_product(stream(5, "evaluation", n_steps, n_steps), 40, n_steps=n_steps)
        errors = model("1").predict(fresh.inputs) - fresh.targets
        assert length["mse"] == pytest.approx((errors**2).mean())
        assert length["mae"] == pytest.approx(np.abs(errors).mean())
        assert length["nmse"] == pytest.approx(length["mse"] / length["naive_mse"]["mean"])


def test_the_page_has_a_row_for_each_length_fits_80_columns_and_the_picture_is_drawn(rnnlab, tmp_path):
    picture = tmp_path / "lengths.png"
    ended = rnnlab("evaluate", 1, "--lengths", "3,9", "--sequences", 40, "-o", picture)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("run 1 of dot_product in ")
    assert lines[0].endswith(", trained on n_steps = 5")
    assert "  n_steps  sequences" in ended.out
    assert [line.split()[:2] for line in lines if line.startswith("        ")][:2] == [["3", "40"], ["9", "40"]]
    assert max(map(len, lines[1:-1])) <= 80
    assert lines[-1] == f"picture: {picture}"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_csv_has_a_row_for_each_length_with_every_digit(rnnlab):
    ended = rnnlab("evaluate", 1, "--sequences", 40, "--csv")
    (row,) = csv.DictReader(io.StringIO(ended.out))
    found = json.loads(rnnlab("evaluate", 1, "--sequences", 40, "--json").out)["lengths"][0]
    assert (row["n_steps"], float(row["mse"]), float(row["mse_mean"])) == (
        "5",
        found["mse"],
        found["naive_mse"]["mean"],
    )
    assert row["wrong"] == ""


def test_the_noisy_series_is_scored_by_step_beside_its_noise_floor(rnnlab):
    ended = rnnlab("evaluate", 2, "--sequences", 30)
    assert ended.code == 0
    assert "MSE by step, n_steps = 6" in ended.out
    assert "  step  network  noise-free  noise floor" in ended.out
    found = json.loads(rnnlab("evaluate", 2, "--sequences", 30, "--json").out)
    assert len(found["lengths"][0]["by_step"]["noise_floor"]) == 6
    assert found["forecasts"] is None


def test_a_series_is_scored_on_its_test_part_and_in_closed_loop(rnnlab, store):
    result = open_store(store).get("3").result
    found = json.loads(rnnlab("evaluate", 3, "--lengths", "12,20", "--json").out)
    assert [length["n_sequences"] for length in found["lengths"]] == [12, 4]
    assert found["lengths"][0]["mse"] == pytest.approx(result["test_mse"])
    assert found["lengths"][0]["naive_mse"]["ridge"] == pytest.approx(result["test_mse_ridge_predictor"])
    forecasts = found["forecasts"]
    assert (forecasts["n_windows"], len(forecasts["mse"]["closed_loop"])) == (1, 12)
    assert forecasts["mse"]["closed_loop"][0] == pytest.approx(forecasts["mse"]["one_step"][0])
    assert forecasts["mse"]["closed_loop"][5] != forecasts["mse"]["one_step"][5]
    page = rnnlab("evaluate", 3, "--closed-loop", 2)
    assert "MSE of forecasts by steps ahead, 11 windows" in page.out
    assert "closed loop" not in rnnlab("evaluate", 3, "--closed-loop", 0).out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["1", "--lengths", "5,x"], 2, "--lengths 5,x: must be whole numbers with commas, such as 5,10,20"),
        (["1", "--lengths", "0"], 2, "--lengths 0: must be whole numbers"),
        (["1", "--lengths", ","], 2, "--lengths ,: must be whole numbers"),
        (["1", "--sequences", "1"], 2, "Invalid value for '--sequences'"),
        (["1", "--closed-loop", "3"], 2, "--closed-loop is for runs on a series"),
        (["1", "--csv", "--json"], 2, "give --csv or --json"),
        (
            ["3", "--lengths", "500"],
            1,
            "error: length 500: n_steps = 500: must be at most 23, in a stretch of 24 steps",
        ),
        (["3", "--closed-loop", "13"], 1, "error: 13 steps in closed loop: must be from 1 to 12"),
        (["1", "--script", "no.py"], 1, "error: run 1: there is no script no.py"),
        (["1", "-o", "one.png"], 1, "error: there is one length only, which makes no picture"),
        (["9"], 1, "error: "),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_one_line(rnnlab, arguments, code, words):
    ended = rnnlab("evaluate", *arguments)
    assert ended.code == code
    assert words in " ".join(ended.err.replace("│", " ").split())
    assert code == 2 or len(ended.err.splitlines()) == 1


def test_a_task_that_has_changed_since_the_run_is_named_beside_the_result(rnnlab, store, tmp_path):
    script = tmp_path / "dot_product.py"
    script.write_text((ROOT / "experiments" / "dot_product.py").read_text() + "# changed\n")
    ended = rnnlab("evaluate", 1, "--sequences", 10, "--script", script, "--json")
    assert ended.code == 0
    assert ended.err == "experiments/dot_product.py is not what it was when run 1 was made\n"
    assert json.loads(ended.out)["changed_sources"] == ["experiments/dot_product.py"]


# predict


def test_outputs_are_the_models_own_to_the_last_bit(rnnlab, model, tmp_path):
    inputs = np.random.default_rng(0).normal(size=(7, 2))
    file = tmp_path / "in.csv"
    file.write_text("u,v\n" + "".join(f"{u!r},{v!r}\n" for u, v in inputs.tolist()))
    ended = rnnlab("predict", 1, file, "-o", tmp_path / "out.csv")
    assert (ended.code, ended.out) == (0, f"outputs: {tmp_path / 'out.csv'}\n")
    text = (tmp_path / "out.csv").read_text()
    assert read_csv(text)[0] == ["output1"]
    assert numbers(text).tobytes() == model("1").predict(inputs[None]).tobytes()
    assert rnnlab("predict", 1, file).out == text


def test_sequences_of_unequal_length_and_their_initial_conditions_give_outputs_at_every_real_step(
    rnnlab, model, tmp_path
):
    rng = np.random.default_rng(0)
    inputs, initial = rng.normal(size=(2, 4, 2)), rng.normal(size=(2, 2))
    mask = np.array([[True] * 4, [True, True, False, False]])
    inputs[~mask] = 0
    rows = [("first", *inputs[0, step]) for step in range(4)] + [("second", *inputs[1, step]) for step in range(2)]
    (tmp_path / "in.csv").write_text("sequence,a,b\n" + "".join(f"{n},{a},{b}\n" for n, a, b in rows))
    (tmp_path / "start.csv").write_text("x,v\n" + "".join(f"{x},{v}\n" for x, v in initial))
    ended = rnnlab("predict", 2, tmp_path / "in.csv", "--initial", tmp_path / "start.csv")
    header, found = read_csv(ended.out)
    assert header == ["sequence", "step", "output1", "output2", "output3"]
    assert [row[:2] for row in found] == [["first", str(t)] for t in range(1, 5)] + [["second", "1"], ["second", "2"]]
    outputs = model("2").predict(inputs, initial, mask)
    np.testing.assert_array_equal(np.array([row[2:] for row in found], float), outputs[mask])


def test_the_standard_input_will_do(rnnlab, monkeypatch, tmp_path):
    (tmp_path / "in.csv").write_text("u,v\n1,2\n3,4\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"u,v\n1,2\n3,4\n")))
    assert rnnlab("predict", 1, "-").out == rnnlab("predict", 1, tmp_path / "in.csv").out


def test_a_closed_loop_continues_the_series_from_its_last_window(rnnlab, model):
    ended = rnnlab("predict", 3, SEA, "--columns", REGIONS, "--closed-loop", 3)
    header, rows = read_csv(ended.out)
    assert header == ["step", *REGIONS.split(",")]
    window = np.loadtxt(SEA, delimiter=",", skiprows=1, usecols=(1, 2, 3, 4))[-12:]
    for row in rows:
        following = model("3").predict(window[None])
        assert [float(cell) for cell in row[1:]] == following[0].tolist()
        window = np.concatenate([window[1:], following])
    assert [row[0] for row in rows] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("run", "text", "message"),
    [
        (1, "u,v,w\n1,2,3\n", "in.csv, line 1: 3 columns of numbers (u, v, w): must be 2, one for each input of the"),
        (1, "u,v\n1,2\n3\n", "in.csv, line 3: has 1 column, but the header has 2"),
        (1, "u,v\n1,2\n3,\n", "in.csv, line 3, column 2 (v): the value is missing: must be a number"),
        (1, "u,v\n1,warm\n", "in.csv, line 2, column 2 (v): 'warm' is not a number"),
        (1, "sequence,u,v\na,1,2\nb,1,2\na,3,4\n", "in.csv, line 4: sequence 'a' was there before"),
        (2, "u,v\n1,2\n", "this network starts from an observed initial condition of 2 numbers: give a file with them"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line_that_names_line_and_column(rnnlab, tmp_path, run, text, message):
    (tmp_path / "in.csv").write_text(text)
    ended = rnnlab("predict", run, tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (1, "", 1)
    assert message in ended.err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["1", "in.csv", "--initial", "start.csv"],
            1,
            "starts from no observed initial condition: leave out --initial",
        ),
        (
            ["2", "in.csv", "--initial", "start.csv"],
            1,
            "start.csv, line 1: 1 column of numbers (x): must be 2, one for",
        ),
        (["1", "in.csv", "--closed-loop", "2"], 1, "this one has 2 inputs and 1 outputs"),
        (["3", "four.csv", "--closed-loop", "2"], 1, "a sequence has 1 steps: must have at least 12, the window that"),
        (["3", SEA, "--columns", "nino3,nino9,nino4,nino3.4"], 1, "has no column 'nino9'; it has: month, nino1+2"),
        (["1", "gone.csv"], 1, "cannot read 'gone.csv': No such file or directory"),
        (["1", "in.csv", "-o", "no/where/out.csv"], 1, "cannot write 'no/where/out.csv': No such file or directory"),
        (["2", "-", "--initial", "-"], 2, "only one of INPUTS and --initial can be -"),
        (["3", "in.csv", "--closed-loop", "2", "--initial", "x.csv"], 2, "leave out --initial"),
        (["3", "in.csv", "--closed-loop", "0"], 2, "Invalid value for '--closed-loop'"),
    ],
)
def test_what_cannot_be_predicted_is_told_in_one_line(rnnlab, monkeypatch, tmp_path, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("u,v\n1,2\n")
    (tmp_path / "start.csv").write_text("x\n1\n")
    (tmp_path / "four.csv").write_text("a,b,c,d\n1,2,3,4\n")
    ended = rnnlab("predict", *[ROOT / word if word == SEA else word for word in arguments])
    assert (ended.code, ended.out) == (code, "")
    assert message in " ".join(ended.err.replace("│", " ").split())
    assert code == 2 or len(ended.err.splitlines()) == 1
