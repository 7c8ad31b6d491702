"""Worker processes that die before they are ready."""

import pytest

from rnnlab.errors import RnnlabError
from rnnlab.sweep import dask_pools


def failing_cluster(monkeypatch, n_failures):
    tries = []

    def cluster(**settings):
        tries.append(settings)
        if len(tries) <= n_failures:
            raise RuntimeError("Nanny failed to start.")
        return "cluster"

    monkeypatch.setattr(dask_pools, "LocalCluster", cluster)
    return tries


def test_workers_that_die_as_they_start_are_started_again(monkeypatch):
    tries = failing_cluster(monkeypatch, 2)
    assert dask_pools._local_cluster(2, "folder") == "cluster"
    assert [settings["n_workers"] for settings in tries] == [2, 2, 2]


def test_workers_that_die_again_and_again_are_an_error_of_one_line(monkeypatch):
    failing_cluster(monkeypatch, 3)
    with pytest.raises(RnnlabError, match=r"2 worker processes cannot be started: Nanny failed to start\.; fewer"):
        dask_pools._local_cluster(2, "folder")
