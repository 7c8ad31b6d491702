import os
import subprocess
import sys

import psutil
import pytest

from rnnlab.processes import is_gone, this_process


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def told_by(process):
    """What a process would tell about itself."""
    ticks = os.sysconf("SC_CLK_TCK")
    started = open(f"/proc/{process.pid}/stat").read().rpartition(")")[2].split()[19]  # noqa: SIM115
    assert abs(int(started) / ticks + psutil.boot_time() - psutil.Process(process.pid).create_time()) < 1.5
    return {**this_process(), "pid": process.pid, "started": started}


def test_a_process_is_gone_once_it_is_killed_even_before_its_parent_takes_notice(child):
    told = told_by(child)
    assert not is_gone(told)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert is_gone(told)
    child.wait()
    assert is_gone(told)


def test_another_process_that_got_the_same_pid_is_not_taken_for_it():
    assert not is_gone(this_process())
    assert is_gone({**this_process(), "started": "1"})


@pytest.mark.parametrize("place", ["", "another boot/pid:[1]"])
def test_of_a_process_in_another_place_nothing_is_known(place):
    assert not is_gone({**this_process(), "place": place, "pid": 2**22 + 1})


def test_an_owner_of_an_older_kind_tells_nothing():
    assert not is_gone({})
