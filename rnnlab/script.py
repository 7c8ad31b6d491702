"""What an experiment script does around its run: progress, Ctrl-C, the result in words, and the pictures."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console
from sacred import Experiment

from rnnlab.analysis.result_table import result_table
from rnnlab.errors import RnnlabError
from rnnlab.store import Store, open_store
from rnnlab.store.record import RunRecord
from rnnlab.tracking.conduct import Conduct, conducted
from rnnlab.tracking.progress import ShownProgress
from rnnlab.tracking.recording import StoppedOnRequest
from rnnlab.tracking.storage import recorded_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEARNING_CURVE, MOVING_AVERAGE = "learning_curve.png", "moving_average.png"


def run_script(experiment: Experiment) -> None:
    """Run an experiment from its command line, as Sacred does; then print the result and keep its picture.

    The first Ctrl-C or SIGTERM ends the run at its next validation, with all that it has and a checkpoint for --resume;
    a second one ends it at once.
    """
    stopped = False
    with _stop_at_signal() as signals, ShownProgress() as progress:
        try:
            with conducted(Conduct(by_hand=True, progress=progress, stop_requested=lambda: bool(signals))):
                experiment.run_commandline()
        except StoppedOnRequest:
            stopped = True
        except KeyboardInterrupt:
            sys.exit("error: interrupted at once; the record holds what was logged before")
    sacred_run = experiment.current_run
    if sacred_run is None or "stop_reason" not in (sacred_run.result or {}):
        return
    _tell(experiment)
    if stopped:
        sys.exit(128 + signals[0])  # as shells tell which signal ended a program
    if sacred_run._failed_observers:
        sys.exit("error: the record of this run is incomplete, see the warning above")


@contextmanager
def _stop_at_signal() -> Iterator[list[int]]:
    """Gives the list of the signals to stop, of Ctrl-C or SIGTERM, that came; the second raises KeyboardInterrupt."""
    caught: list[int] = []

    def note(number, frame):
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        print("stopping at the next validation; Ctrl-C again stops at once", file=sys.__stderr__)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(experiment: Experiment) -> None:
    """Print the result of the experiment's last run, where its record is, and keep its pictures there."""
    sacred_run = experiment.current_run
    console = Console()
    console.print(result_table(sacred_run.result, sacred_run.info))
    place = recorded_at(sacred_run)
    if place is None:
        console.print("not recorded", highlight=False)
        return
    address, run_id = place
    console.print(f"run {run_id} in {address}", highlight=False, markup=False, soft_wrap=True)
    try:
        store = open_store(address)
        pictures = _keep_pictures(store, store.get(run_id))
    except RnnlabError as error:
        console.print(f"no picture: {error}", highlight=False, markup=False)
        return
    for name in pictures:
        where = f"{name} in the record" if address.is_mongo else address.path / run_id / name
        console.print(f"picture: {where}", highlight=False, markup=False, soft_wrap=True)


def _keep_pictures(store: Store, record: RunRecord) -> list[str]:
    """Draw the run's pictures from its record and attach them to it; return their names."""
    from rnnlab.analysis.plots import plot_learning_curves, plot_moving_average, save_figure  # matplotlib loads slowly

    losses = [name for name in ("train.loss", "valid.loss") if name in record.curves]
    if not losses:
        raise RnnlabError("the record holds no learning curves")
    pictures = {LEARNING_CURVE: plot_learning_curves(record, metric=losses)}
    if "updates.npz" in record.artifacts:
        pictures[MOVING_AVERAGE] = plot_moving_average(record)
    with tempfile.TemporaryDirectory(prefix="rnnlab-") as folder:
        for name, picture in pictures.items():
            path = Path(folder, name)
            save_figure(cast("Figure", picture), path)
            store.attach(record.run_id, name, path)
    return list(pictures)
