import csv
import io
import json
import os
import shutil

import pytest

from rnnlab.store.copying import run_uid


@pytest.fixture
def runs(train, fail):
    for n_hidden, seed in [(5, 0), (20, 0), (20, 1)]:
        train(n_hidden, seed)
    fail("no luck", model={"n_hidden": 50, "cell": "elman"}, seed=1)


def table(ended):
    """The cells of a printed table, split at two spaces or more, and the lines below it."""
    lines = ended.out.splitlines()
    end = lines.index("")
    return [[cell for cell in line.strip().split("  ") if cell] for line in lines[:end]], lines[end + 1 :]


def test_by_default_the_columns_are_what_varies_and_the_main_results(rnnlab, runs, address):
    ended = rnnlab("ls", "--store", address)
    assert (ended.code, ended.err) == (0, "")
    (head, *rows), below = table(ended)
    assert [each.strip() for each in head[:6]] == ["id", "status", "age", "n_hidden", "seed", "test_loss"]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert [each.strip() for each in (rows[2][1], *rows[2][3:6])] == ["COMPLETED", "20", "1", "0.05100"]
    assert [each.strip() for each in rows[3][1:]][0::2] == ["FAILED", "50"]
    assert below[0] == f"4 runs of dot_product in {address}: 3 COMPLETED, 1 FAILED"
    assert max(map(len, ended.out.splitlines()[:5])) <= 80
    assert below[1] == "too wide to show: stop_reason (choose with --columns)"


def test_runs_of_several_experiments_say_which(rnnlab, train, address):
    train(5)
    train(5, name="other")
    (head, *rows), below = table(rnnlab("ls", "--store", address))
    assert head[1] == "experiment"
    assert [row[1].strip() for row in rows] == ["dot_product", "other"]
    assert below[0] == f"2 runs in {address}: 2 COMPLETED"


def ids(ended):
    return [line.split()[0] for line in ended.out.splitlines()[1:] if line[:3].strip().isdigit() and "run" not in line]


ORDERS = [
    (["--sort", "test_loss"], "2314"),
    (["--sort", "test_loss", "--reverse"], "1324"),
    (["--sort", "model.n_hidden", "--reverse"], "4231"),
    (["--sort", "status"], "1234"),
    (["--sort", "started", "--reverse", "--limit", "2"], "43"),
    (["--reverse"], "4321"),
    (["--limit", "2"], "34"),
    (["--sort", "test_loss", "--limit", "1"], "2"),
    (["--status", "failed"], "4"),
    (["--where", "model.n_hidden=20"], "23"),
    (["--experiment", "dot_product", "--where", "seed=1", "--status", "COMPLETED"], "3"),
]


def test_runs_are_sorted_filtered_and_limited(rnnlab, runs, address):
    for options, order in ORDERS:
        assert ids(rnnlab("ls", "--store", address, *options)) == list(order), options
    _, below = table(rnnlab("ls", "--store", address, "--limit", "2"))
    assert below[0].startswith("2 of 4 runs ")


def test_columns_are_those_that_are_asked_for(rnnlab, runs, address):
    (head, *rows), _ = table(rnnlab("ls", "--store", address, "--columns", "id,model.cell", "--columns", "n_epochs"))
    assert [each.strip() for each in head] == ["id", "cell", "n_epochs"]
    assert [each.strip() for each in rows[0]] == ["1", "elman", "4"]


def test_an_unknown_key_names_the_nearest(rnnlab, runs, address):
    for option in (["--sort", "modl.n_hidden"], ["--columns", "modl.n_hidden"], ["--where", "modl.n_hidden=1"]):
        ended = rnnlab("ls", "--store", address, *option)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == "error: unknown key 'modl.n_hidden': did you mean model.n_hidden?\n"


def test_json_holds_all_that_a_listing_knows(rnnlab, runs, address, tracked_store):
    rows = json.loads(rnnlab("ls", "--store", address, "--json").out)
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    record = tracked_store.store.get(3)
    assert rows[2]["uid"] == run_uid(record) == record.meta["uid"]
    assert rows[2]["config"] == record.config
    assert rows[2]["result"]["test_loss"] == pytest.approx(0.051)
    assert rows[2]["artifacts"] == ["weights.npz"]
    assert rows[3]["result"] is None
    assert json.loads(rnnlab("ls", "--store", address, "--where", "seed=7", "--json").out) == []


def test_csv_holds_the_columns_with_every_digit(rnnlab, train, address):
    train(3, loss=1 / 3)
    train(7, loss=1 / 7)
    rows = list(csv.DictReader(io.StringIO(rnnlab("ls", "--store", address, "--csv").out)))
    assert [float(row["test_loss"]) for row in rows] == [1 / 3, 1 / 7]
    assert [row["model.n_hidden"] for row in rows] == ["3", "7"]
    assert rows[0]["started"].endswith("+00:00")


def test_no_runs_are_told_in_words(rnnlab, address, train):
    assert rnnlab("ls", "--store", address).out == f"no runs in {address}\n"
    train()
    assert rnnlab("ls", "--store", address, "--where", "seed=7").out == f"no runs in {address} that fit\n"


@pytest.mark.parametrize("tracked_store", ["files"], indirect=True)
def test_damaged_and_lost_runs_are_shown_beside_the_others(rnnlab, runs, address):
    for number, content in [(1, "{"), (2, "[]")]:
        path = os.path.join(address, str(number), "run.json")
        with open(path, "w") as file:
            file.write(content)
        os.utime(path, (1, 1))
    path = os.path.join(address, "3", "run.json")
    with open(path) as file:
        entry = json.load(file)
    times = dict.fromkeys(("start_time", "heartbeat"), "2024-05-01T12:00:00")
    with open(path, "w") as file:
        json.dump({**entry, "status": "RUNNING", "stop_time": None, **times}, file)
    (_, *rows), below = table(rnnlab("ls", "--store", address))
    assert [row[1].strip() for row in rows] == ["DAMAGED", "DAMAGED", "LOST", "FAILED"]
    assert rows[2][2].strip() == "2024-05-01"
    assert below[-2].startswith("run 1 is damaged: run.json is damaged: ")
    assert rnnlab("ls", "--store", address, "--status", "lost").out.count("\n") == 4
    shutil.rmtree(os.path.join(address, "4"))
    assert json.loads(rnnlab("ls", "--store", address, "--json").out)[0]["damage"]


def test_nothing_in_a_store_acts_on_the_terminal(rnnlab, train, address):
    train(5, model={"n_hidden": 5, "cell": "\x1b[31m[red]"}, name="x\x1b]0;y\x07")
    train(6, model={"n_hidden": 5, "cell": "elman"}, name="x\x1b]0;y\x07")
    for options in ([], ["--csv"], ["--json"], ["--columns", "experiment,model.cell"]):
        printed = rnnlab("ls", "--store", address, *options).out
        assert not set(printed) & set("\x1b\x07")
    assert r"\x1b[31m[red]" in rnnlab("ls", "--store", address, "--columns", "model.cell").out
    ended = rnnlab("ls", "--store", address, "--experiment", "x")
    assert (ended.code, r"\x1b]0;y\x07" in ended.err) == (1, True)
