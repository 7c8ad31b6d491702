"""From a script and what is set in it to the full config, by the script's own Sacred experiment."""

import copy
import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sacred import SETTINGS, Experiment
from sacred.initialize import create_run

from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.sweep.located_yaml import did_you_mean
from rnnlab.tracking.experiment import plain


def resolve(script: Path, named_configs: Sequence[str], updates: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(experiment name, full config) of a script with named configs, in order, and nested updates after them.

    It is the config that a run would have: the experiment makes and checks it. The script is imported once per process.

    Raises ConfigError for a config that cannot be run, its `key` being the config key or the named config at fault, and
    RnnlabError for a script that cannot be used.
    """
    template = _template(Path(script))
    experiment = template.experiment
    for name in named_configs:
        if not (name in template.named_configs or os.path.isfile(name) or ("." in name and experiment.ingredients)):
            raise ConfigError(name, _unknown_named_config(name, template.named_configs))
    # Sacred puts what it merges into the dicts that an experiment was given.
    experiment.configurations = copy.deepcopy(template.configurations)
    experiment.named_configs = copy.deepcopy(template.named_configs)
    try:
        run = create_run(experiment, experiment.default_command, dict(updates), list(named_configs))
    except RnnlabError:
        raise
    except Exception as error:  # whatever the script's own config functions may raise
        raise RnnlabError(f"{script}: {_first_line(error)}") from error
    return experiment.path, plain(run.config)


def build_experiment(script: Path) -> Experiment:
    """A fresh experiment of a script; raises RnnlabError if the script cannot be imported or has no good `build()`.

    It describes itself (sources, versions, git state) as the first one that this process built: what runs is the code
    that was imported then, whatever became of the files since.
    """
    info = _template(Path(script)).info
    with _without_discovery():
        experiment = _built(Path(script))
    experiment.get_experiment_info = lambda: info
    return experiment


@contextmanager
def _without_discovery() -> Iterator[None]:
    """Inside, a new experiment lists neither sources nor packages, which takes longer than making it."""
    before = {name: SETTINGS[name] for name in ("DISCOVER_SOURCES", "DISCOVER_DEPENDENCIES")}
    SETTINGS.update(dict.fromkeys(before, "none"))
    try:
        yield
    finally:
        SETTINGS.update(before)


def _built(script: Path) -> Experiment:
    build = _load(script)
    try:
        experiment = build()
    except (Exception, SystemExit) as error:  # whatever the script's own code may raise
        raise RnnlabError(f"{script}: build() fails: {_first_line(error)}{_place(error, script)}") from error
    if not isinstance(experiment, Experiment):
        raise RnnlabError(f"{script}: build() gives {experiment!r}: must give a Sacred Experiment")
    return experiment


@dataclass(frozen=True)
class _Template:
    """An experiment that is never run, with its configs as the script gave them, and what it says of itself."""

    experiment: Experiment
    info: dict[str, Any]
    configurations: list[Any]
    named_configs: dict[str, Any]


@cache
def _template(script: Path) -> _Template:
    experiment = _built(script)
    info = experiment.get_experiment_info()
    # Listing the sources anew takes longer than all the rest of making a config.
    experiment.get_experiment_info = lambda: info
    return _Template(experiment, info, experiment.configurations, experiment.named_configs)


@cache
def _load(script: Path) -> Callable[[], Any]:
    """The `build` of a script, which is imported under a name of its own."""
    name = f"rnnlab_script_{script.stem}_{hashlib.sha256(str(script).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, script)
    if spec is None or spec.loader is None:
        raise RnnlabError(f"{script}: must be a Python script (.py) with a build()")
    module = importlib.util.module_from_spec(spec)
    # As when it is started by hand: what lies beside the script can be imported.
    sys.path.insert(0, str(script.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError as error:
        raise RnnlabError(f"{script}: cannot be imported: {error.strerror}: {error.filename}") from error
    except (Exception, SystemExit) as error:  # whatever the script's own code may raise
        raise RnnlabError(f"{script}: cannot be imported: {_first_line(error)}{_place(error, script)}") from error
    build = getattr(module, "build", None)
    if not callable(build):
        raise RnnlabError(f"{script}: has no build(), a function that gives a fresh Sacred experiment")
    return build


def _place(error: BaseException, script: Path) -> str:
    """The line of the script that raised, or that led there; nothing if the script could not even be parsed."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(script)]
    return f" (line {lines[-1]})" if lines else ""


def _unknown_named_config(name: str, known: Mapping[str, Any]) -> str:
    return did_you_mean("named config", name, known) if known else f'unknown named config "{name}"; there are none'


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
