"""The documentation keeps up with the command, and what it tells a reader to type works.

Every ```bash block of docs/ is run, in order, in a copy of the project with a store of its own; a line
`<!-- not run: reason -->` right before a block leaves it out. Commands that only read the store are run in this very
process, since most of what they take is the start of another one.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from rnnlab.cli import COMMANDS, main, make_app

ROOT = Path(__file__).parents[1]
# tests/test_documented_commands.py runs the blocks of README.md and docs/commands.md.
DOCUMENTS = [path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "commands.md"]
BLOCK = re.compile(r"^(?P<not_run><!-- not run: [^\n]+ -->\n+)?```bash\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("rnnlab", "experiments", "datasets", "docs", "setup.cfg", "Makefile")


def section(text, heading):
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section {heading!r}"
    return found[1]


def documented(text):
    """The options that stand in a text between backquotes, alone or with their values."""
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(re.findall(r"`([^`\n]+)`", text))))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_is_documented_and_every_documented_one_is_there(name):
    text = (ROOT / "docs" / "commands.md").read_text()
    own, shared = section(text, f"rnnlab {name}"), section(text, "Options that several commands share")
    command = typer.main.get_command(make_app([name])).commands[name]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    options -= {"--help", "-h"}
    assert options <= documented(own) | documented(shared)
    known = {option for each in all_commands() for parameter in each.params for option in parameter.opts}
    assert documented(own) <= known | {"--help"}
    blocks = [block["code"] for block in BLOCK.finditer(own)]
    assert any(f"rnnlab {name}" in code for code in blocks), "it has no example"
    for code in blocks:
        for line in code.replace("\\\n", " ").splitlines():
            if line.startswith(f"rnnlab {name} "):
                assert set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", line)) <= options, line


def all_commands():
    return typer.main.get_command(make_app()).commands.values()


def test_every_command_is_in_the_overview():
    overview = (ROOT / "docs" / "commands.md").read_text().partition("\n## ")[0]
    assert re.findall(r"^\| \[`(\w+)`\]", overview, re.MULTILINE) == list(COMMANDS)


@pytest.fixture
def project(tmp_path):
    """A copy of the project, and an environment in which its commands are run by this Python."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, call in {"python": "", "rnnlab": " -m rnnlab"}.items():
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{call} "$@"\n')
        (commands / name).chmod(0o755)
    (tmp_path / "runs").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "RNNLAB_STORE": str(tmp_path / "runs"),
        "COLUMNS": "80",
    }
    return folder, environment


def steps(code):
    """A block that holds commands of rnnlab alone is run one by one, any other one as a whole."""
    lines = code.replace("\\\n", " ").splitlines()
    return lines if all(line.startswith("rnnlab ") for line in lines) else [code]


def only_reads(step):
    """The arguments, if this is a command of rnnlab that needs neither other processes nor a shell."""
    if not step.startswith("rnnlab ") or step.startswith("rnnlab sweep ") or set("|<>&;`(") & set(step):
        return None
    return shlex.split(os.path.expandvars(step), comments=True)


@pytest.mark.slow
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documentation_runs(path, project, monkeypatch, capsys):
    folder, environment = project
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    blocks = [block["code"] for block in BLOCK.finditer(path.read_text()) if not block["not_run"]]
    for step in (step for code in blocks for step in steps(code)):
        arguments = only_reads(step)
        if arguments is not None:
            monkeypatch.setattr(sys, "argv", arguments)
            with pytest.raises(SystemExit) as ended:
                main()
            assert ended.value.code == 0, f"{step}\n{capsys.readouterr()}"
            continue
        process = subprocess.run(
            ["bash", "-e", "-u", "-o", "pipefail", "-c", step],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert process.returncode == 0, f"{step}\n{process.stdout[-2000:]}\n{process.stderr[-2000:]}"


def test_a_block_is_run_unless_the_line_before_it_says_why_not():
    text = (
        "```bash\na\n```\n\n<!-- not run: needs a server -->\n```bash\nb\n```\n\n```text\nc\n```\n```bash\nd\ne\n```\n"
    )
    assert [(block["code"], bool(block["not_run"])) for block in BLOCK.finditer(text)] == [
        ("a\n", False),
        ("b\n", True),
        ("d\ne\n", False),
    ]
