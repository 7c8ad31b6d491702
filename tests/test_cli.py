"""The command as a whole: in processes of its own, as a user starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from rnnlab import __version__
from rnnlab.cli import COMMANDS, make_app

ROOT = Path(__file__).parents[1]


def started(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **options.pop("env", {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen([sys.executable, "-m", "rnnlab", *map(str, arguments)], env=environment, **pipes)


def run(*arguments, **options):
    process = started(*arguments, **options)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_help_names_every_command_in_one_line_each_and_loads_nothing_heavy():
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    width = max(map(len, COMMANDS))
    for name, words in COMMANDS.items():
        assert f"  {name:<{width}}  {words}\n" in out
    imports = (
        "import sys; sys.argv = ['rnnlab', '--help']\nfrom rnnlab.cli import main\ntry: main()\nexcept SystemExit: "
    )
    code = f"{imports}print('LOADED', *sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = process.stdout.rpartition("LOADED")[2].split()
    heavy = {"numpy", "rich", "pandas", "matplotlib", "sacred", "jax", "pymongo", "yaml", "rnnlab.store"}
    assert heavy.isdisjoint(loaded)
    assert not [name for name in loaded if name.startswith("rnnlab.commands.") and name != "rnnlab.commands.output"]


def test_each_command_is_a_documented_function_of_its_own_module():
    group = typer.main.get_command(make_app())
    assert list(group.commands) == list(COMMANDS)
    for command in group.commands.values():
        assert command.help
        assert all(parameter.help for parameter in command.params if parameter.name != "help")


def test_the_version_is_printed():
    assert run("--version") == (0, f"rnnlab {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lss"], "No such command 'lss'"),
        (["ls", "--wher", "x=1"], "No such option: --wher"),
        (["ls", "--limit", "0"], "Invalid value for '--limit'"),
        (["show"], "Missing argument 'RUN'"),
        (["ls", "--json", "--csv"], "give --json or --csv"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback_and_exits_with_2(arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_an_error_in_the_input_is_one_line_and_exits_with_1(tmp_path):
    missing = tmp_path / "missing"
    assert run("ls", "--store", missing) == (1, "", f"error: store {missing}: there is no such directory\n")
    missing.write_text("")
    assert run("ls", "--store", missing) == (1, "", f"error: store {missing}: is a file, not a directory\n")
    code, out, err = run("ls", "--store", "mongodb://ada:secret@127.0.0.1:9/lab?serverSelectionTimeoutMS=100")
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith("error: store mongodb://127.0.0.1:9/lab: no answer from the server")
    assert "secret" not in err
    assert run("ls", env={"RNNLAB_STORE": str(tmp_path / "other")})[2].startswith(f"error: store {tmp_path}/other: ")


def test_the_default_store_is_results_in_this_folder(tmp_path):
    (tmp_path / "results").mkdir()
    environment = {"RNNLAB_STORE": ""}
    assert run("ls", cwd=tmp_path, env=environment) == (0, "no runs in results\n", "")


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(tmp_path):
    for number in range(3000):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "run.json").write_text('{"experiment": {"name": "x"}, "status": "COMPLETED"}')
        (tmp_path / f"{number}" / "config.json").write_text("{}")
    process = started("ls", "--store", tmp_path, "--json")
    assert process.stdout.readline() == "[\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()


def test_ctrl_c_ends_the_command_with_130(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "run.json").symlink_to(tmp_path / "fifo")  # reading it waits for ever
    process = started("ls", "--store", tmp_path)
    with (tmp_path / "fifo").open("w"):  # opens when the command reads
        process.send_signal(signal.SIGINT)
    # Had the signal come right before the reading began, only the end of the file would wake the command.
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")
