import io
import sys
from pathlib import Path

from rnnlab.sweep.display import Display, ways_to_retry
from rnnlab.sweep.execution import Failure, Progress
from rnnlab.sweep.plan import Plan
from rnnlab.sweep.variant import Variant


class Terminal(io.StringIO):
    def isatty(self):
        return True


def show(monkeypatch, stream):
    """What is written of a sweep of two variants, of which one is done."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    variants = [Variant("sums", Path("sums.py"), (), {"seed": n}, {"seed": n}, str(n)) for n in range(2)]
    progress = Progress(Plan(variants, {}, {}, {}, variants, {}, 0), n_workers=1, left=1, running=1)
    progress.note_result(variants[0], {"valid_loss": 0.25})
    with Display(progress.plan) as display:
        display.show(progress)
    return stream.getvalue()


def test_on_a_terminal_the_bar_the_counts_and_the_best_so_far_have_lines_of_their_own(monkeypatch):
    lines = [line.strip() for line in show(monkeypatch, Terminal()).splitlines()]
    (bar,) = [number for number, line in enumerate(lines) if "\u2501" in line]
    assert lines[bar + 1 : bar + 3] == ["0 done, 1 running, 0 failed, 1 left", "best valid_loss 0.25 (seed=0)"]


def test_elsewhere_a_line_tells_all_without_anything_for_a_terminal(monkeypatch):
    told = show(monkeypatch, io.StringIO())
    assert told == "0 done, 1 running, 0 failed, 1 left, best valid_loss 0.25 (seed=0)\n"


def test_what_failed_is_said_to_be_run_again_by_the_flag_or_without_it_where_no_run_failed():
    variants = [Variant("sums", Path("sums.py"), (), {"seed": n}, {"seed": n}, str(n)) for n in range(2)]
    failed, died = Failure(variants[0], "3", "ValueError: no"), Failure(variants[1], None, "its worker died")
    ways = {}
    for name, failures in {"failed": [failed], "died": [died], "both": [failed, died]}.items():
        progress = Progress(Plan(variants, {}, {}, {}, variants, {}, 0))
        progress.failures += failures
        ways[name] = ways_to_retry(progress)
    assert "--retry-failed" in ways["failed"][0]
    assert ways["died"] == ["the same command runs them again"]
    assert ways["both"] == [*ways["failed"], "the same command runs those without a run again"]
