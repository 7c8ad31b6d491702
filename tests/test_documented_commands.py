"""What README.md and docs/commands.md tell a reader to type works: every block, in order, in a copy of the project.

No block is left out. For the sake of time and of what a test may touch, a block is run with this in place of a reader's
machine:

- trainings are small: to each script, and to each sweep of one, the settings of `SMALL` are added, as far as it has
  none of its own for them; sweeps run in one process (`--workers 0`);
- servers and directories are the test's own: `elsewhere` says which stand for which;
- `.venv/bin/activate` is there, and empty.

Scripts and sweeps are run one after another in one process, which imports and compiles but once (test_experiments.py
and tests/sweep run them as processes of their own); commands that only read the store are run in this one.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlab.cli import main

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN = re.compile(r"printf '(?P<text>[^']*)' > (?P<name>[\w.]+)")
COPIED = ("rnnlab", "experiments", "datasets", "setup.cfg")
SMALL = ("data.n_train=40", "data.n_valid=20", "data.n_test=20", "training.max_epochs=2", "training.validate_every=40")


def lines_of(code):
    """The commands of a bash block, each on one line. A block that needs more of a shell than that is refused."""
    lines = [line for line in code.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        if WRITTEN.fullmatch(line):
            continue
        assert re.match(r"(\w+=\S+ )?(rnnlab|python|source) ", line), f"what to do with {line!r}?"
        assert not set("|<>&;`(") & set(words(line)), f"{line!r} needs a shell"
    return lines


def words(line):
    """A line without its comment."""
    return " ".join(shlex.split(line, comments=True))


def training_call(line):
    """(environment, arguments of Python) of a script or a sweep of one, made small; None for anything else."""
    arguments = shlex.split(os.path.expandvars(line), comments=True)
    environment = {}
    while re.match(r"\w+=", arguments[0]):
        name, _, value = arguments.pop(0).partition("=")
        environment[name] = value
    small = [setting for setting in SMALL if not any(setting.partition("=")[0] in each for each in arguments)]
    if arguments[0] == "python":
        return environment, [*arguments[1:], *([] if "with" in arguments else ["with"]), *small]
    if arguments[:2] == ["rnnlab", "sweep"]:
        settings = [word for setting in small for word in ("--set", setting)]
        return environment, ["-m", *arguments, *settings, *([] if "--dry-run" in arguments else ["--workers", "0"])]
    return None


class Project:
    """A copy of the project, in which blocks are run."""

    def __init__(self, folder, elsewhere, call_rnnlab):
        self.elsewhere = elsewhere
        self.call_rnnlab = call_rnnlab
        self.log = (folder / "log").open("w")
        runner = [sys.executable, Path(__file__).with_name("script_runner.py")]
        self.runner = subprocess.Popen(
            runner, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )

    def run(self, language, code):
        """Run a block; fails where one of its commands does."""
        for there, here in self.elsewhere.items():
            code = code.replace(there, here)
        assert "mongodb://localhost" not in code
        if language == "python":
            self.run_python(code)
        else:
            for line in lines_of(code):
                self.run_line(line)

    def run_line(self, line):
        """Run one command in the quickest way."""
        if written := WRITTEN.fullmatch(line):
            Path(written["name"]).write_text(written["text"].replace("\\n", "\n"))
        elif (call := training_call(line)) is not None:
            self.run_script(*call)
        elif line.startswith("rnnlab "):
            code, output = self.call_rnnlab(shlex.split(os.path.expandvars(line), comments=True))
            assert code == 0, f"{line}\n{output}"
        else:
            assert Path(shlex.split(line)[1]).exists(), f"{line!r}: there is no such file"

    def run_script(self, environment, argv):
        """Run a script in the process that keeps what it has imported and compiled."""
        self.runner.stdin.write(json.dumps({"argv": argv, "environment": environment}) + "\n")
        self.runner.stdin.flush()
        answer = self.runner.stdout.readline()
        code = json.loads(answer)["code"] if answer else "an exception"
        assert code == 0, f"{argv}\n{Path(self.log.name).read_text()[-2000:]}"

    def run_python(self, code):
        """Run lines of Python as a script."""
        Path("block.py").write_text(code)
        self.run_script({}, ["block.py"])

    def close(self):
        """End the process that runs scripts."""
        self.runner.communicate(timeout=60)
        self.log.close()


@pytest.fixture
def project(tmp_path, monkeypatch, capsys, mongo_database_address):
    folder = tmp_path / "project"
    folder.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "results").mkdir()
    activate = folder / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.touch()
    for name, value in {
        "PYTHONPATH": str(folder),
        "RNNLAB_STORE": str(folder / "results"),
        "COLUMNS": "80",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)

    def call_rnnlab(argv):
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr()

    elsewhere = {
        "mongodb://localhost:27017/runs": mongo_database_address,
        "mongodb://localhost:27017/lab": mongo_database_address,
        "/data/runs": str(tmp_path / "data-runs"),
    }
    project = Project(tmp_path, elsewhere, call_rnnlab)
    yield project
    project.close()


@pytest.mark.slow
def test_every_block_of_the_readme_and_of_the_page_on_the_commands_runs(project):
    for document in ("README.md", "docs/commands.md"):  # one after the other: the second needs little compiled anew
        text = (ROOT / document).read_text()
        blocks = BLOCK.findall(text)
        assert len(blocks) == len(re.findall(r"^\s*```(?:bash|sh|shell|console|python)\b", text, re.MULTILINE))
        for language, code in blocks:
            project.run(language, code)
        shutil.rmtree("results")
        Path("results").mkdir()


def test_trainings_are_made_small_and_nothing_else_is_changed():
    assert training_call("python experiments/x.py  # all") == ({}, ["experiments/x.py", "with", *SMALL])
    assert training_call("A=b python x.py with post") == ({"A": "b"}, ["x.py", "with", "post", *SMALL])
    _, sweep = training_call("rnnlab sweep x.py --set training.max_epochs=20")
    assert sweep[:5] == ["-m", "rnnlab", "sweep", "x.py", "--set"]
    assert "training.max_epochs=2" not in sweep
    assert sweep[-2:] == ["--workers", "0"]
    assert training_call("rnnlab ls") is None


def test_a_block_is_a_list_of_commands():
    code = "# two\nrnnlab ls\nrnnlab sweep a.py \\\n    --seeds 2  # two\n"
    assert lines_of(code) == ["rnnlab ls", "rnnlab sweep a.py      --seeds 2  # two"]
    for code in ("rnnlab ls | head\n", "rnnlab ls > file\n", "for i in 1 2; do rnnlab ls; done\n", "git log\n"):
        with pytest.raises(AssertionError):
            lines_of(code)
