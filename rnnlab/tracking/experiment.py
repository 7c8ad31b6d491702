"""Wiring: what turns a Sacred experiment with a dict config into a tracked rnnlab experiment."""

import logging
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sacred
from sacred import Experiment
from sacred.commandline_options import cli_option
from sacred.dependencies import Source
from sacred.host_info import HostInfoGetter

import rnnlab
from rnnlab.config import Task, check_config, default_config
from rnnlab.processes import this_process
from rnnlab.tasks.series import Series
from rnnlab.terminal import visible
from rnnlab.tracking.conduct import input_errors
from rnnlab.tracking.git_state import GitState, git_state
from rnnlab.tracking.recording import record_run
from rnnlab.tracking.resuming import RESUME, add_option, check_start, made_by, open_checkpoints, task_file
from rnnlab.tracking.storage import take_over_storage

PACKAGES = ("pytensor", "jax", "jaxlib", "numpy", "scipy", "sacred", "pymongo")


def track(experiment: Experiment, task: Task, /, **sections: Any) -> Experiment:
    """Wire a Sacred experiment to run rnnlab on a task, and return it.

    experiment: a fresh Sacred Experiment, made in the script itself with `save_git_info=False` (the git state is
                recorded here, once per process)
    task:       a function `(rng, n_sequences, **own arguments) -> Sequences`, or a `Series`
    sections:   what differs from the default config, by section, such as `model={"n_hidden": 50}`

    The experiment then has the whole config, checks it before anything is started, stores every run in one place
    (`-F`, `-m`, RNNLAB_STORE, or `results/`), and records sources, versions, git state, curves, decisions and weights.
    Each run keeps checkpoints; with `--resume` it goes on from the one of a run that was killed.
    """
    experiment.logger = _logger()
    experiment.task = task  # for whoever builds the experiment again to have more of its sequences
    experiment.add_config(default_config(task, **sections))
    git = git_state(Path(experiment.base_dir))
    _add_sources(experiment, task, git)
    for package in PACKAGES:
        experiment.add_package_dependency(package, _version(package))
    sacred.SETTINGS.HOST_INFO.INCLUDE_CPU_INFO = False  # takes a second per run
    sacred.SETTINGS.HOST_INFO.INCLUDE_GPU_INFO = False

    made_today = made_by(task)

    @cli_option("-R", RESUME, is_flag=True)
    def resume(args, run):
        """Go on from the checkpoint of a run with the same config that was killed or interrupted."""
        with input_errors():
            check_start(open_checkpoints(run, plain(run.config), made_today))

    add_option(experiment, resume)
    # By this, a run that is dead can be told from one that is only slow to say that it lives.
    experiment.additional_host_info.append(HostInfoGetter(this_process, "process"))

    @experiment.option_hook
    def storage(options):
        options["--capture"] = options.get("--capture") or "sys"  # Sacred's default starts `tee` in a shell
        with input_errors():
            take_over_storage(experiment, options)

    @experiment.config_hook
    def checked(config, command_name, logger):
        with input_errors():
            check_config(config, task)
        return {}

    @experiment.main
    def main(_config, _run):
        if isinstance(task, Series):
            _run.add_resource(str(task.path))
        return record_run(_run, plain(_config), task, git, made_today)

    return experiment


def plain(config: Any) -> Any:
    """Sacred's read-only containers as ordinary dicts and lists."""
    if isinstance(config, Mapping):
        return {key: plain(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [plain(value) for value in config]
    return config


def _add_sources(experiment: Experiment, task: Task, git: GitState | None) -> None:
    """Store the script with its git state, all of rnnlab, and the task's own file."""
    own = task_file(task)
    for path in [*_own_files(), *([own] if own else [])]:
        experiment.sources.add(_source(path))
    if git is not None and experiment.mainfile is not None:
        # Sacred lists the repository of each source, once for every one: the script's stands for all.
        main = experiment.mainfile
        main.repo, main.commit, main.is_dirty = git.url, git.commit, git.dirty


@cache
def _own_files() -> list[str]:
    return sorted(map(str, Path(rnnlab.__file__).parent.rglob("*.py")))


@cache
def _source(path: str) -> Source:
    return Source.create(path, save_git_info=False)


@cache
def _version(package: str) -> str:
    return version(package)


class _PlainLines(logging.Formatter):
    """Nothing in a line that a terminal would obey: servers and files have a say in some of them."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


class _Uninteresting(logging.Filter):
    """Drops what Sacred says and rnnlab checks or says by itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(("Changed type of config entry", "Failed after"))


def _logger() -> logging.Logger:
    """The logger of rnnlab and of Sacred: warnings and worse, as plain lines on stderr."""
    logger = logging.getLogger("rnnlab")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_PlainLines("%(levelname)s: %(message)s"))
        handler.addFilter(_Uninteresting())
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
    return logger
