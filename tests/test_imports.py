"""What importing each part loads, seen in fresh processes."""

import inspect
import subprocess
import sys

import pytest

import rnnlab

HEAVY = {"numpy", "scipy", "pandas", "pytensor", "jax", "sacred", "pymongo", "matplotlib", "distributed"}


def python(code: str) -> subprocess.CompletedProcess:
    """Run code in a fresh process, with every warning shown."""
    return subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)


def loaded_by(statement: str) -> set[str]:
    """The heavy packages that one statement loads in a fresh process."""
    process = python(f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})")
    return HEAVY & set(process.stdout.split())


def test_importing_rnnlab_prints_nothing():
    process = python("import rnnlab")
    assert (process.stdout, process.stderr) == ("", "")


def test_importing_rnnlab_loads_no_other_package():
    assert loaded_by("import rnnlab") == set()


def test_a_run_needs_no_tracker_no_database_and_no_plots():
    assert loaded_by("import rnnlab.run").isdisjoint({"sacred", "pymongo", "matplotlib", "pandas", "distributed"})


def test_reading_and_comparing_runs_needs_no_compiler():
    assert loaded_by("import rnnlab.analysis, rnnlab.analysis.plots").isdisjoint({"pytensor", "jax", "sacred"})


def test_listing_the_names_of_rnnlab_loads_nothing():
    assert loaded_by("import rnnlab; dir(rnnlab)") == set()


@pytest.mark.parametrize("name", sorted(set(rnnlab.__all__) - {"__version__"}))
def test_every_public_name_is_a_documented_function_and_listed(name):
    assert getattr(rnnlab, name).__doc__
    assert inspect.isfunction(getattr(rnnlab, name))
    assert name in dir(rnnlab)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'open_shop'"):
        rnnlab.open_shop  # noqa: B018
