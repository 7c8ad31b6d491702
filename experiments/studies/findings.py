"""The tables and pictures of docs/findings.md, from the runs of the studies in this folder.

`make studies` runs the studies into results/studies, a store for each, and then this script. A table stands in
docs/findings.md between `<!-- NAME -->` and `<!-- end -->`; what was there before is replaced.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rnnlab import load_model, open_store, plot_learning_curves
from rnnlab.analysis.curve_drawing import draw_grid, log_number_axis
from rnnlab.analysis.groups import group_records
from rnnlab.analysis.metrics import metric_values
from rnnlab.analysis.picture import FAINT, STYLE, WIDTH, Picture, group_colours, new_picture, put_notes, save_figure
from rnnlab.analysis.statistics import summarise
from rnnlab.analysis.tables import format_number, to_markdown
from rnnlab.evaluation.lengths import LengthScore, score_lengths
from rnnlab.recorded_task import recorded_task
from rnnlab.store.record import RunRecord

ROOT = Path(__file__).resolve().parents[2]
STORES, DOCUMENT, PICTURES = ROOT / "results" / "studies", ROOT / "docs" / "findings.md", ROOT / "docs" / "pictures"
SOLVED = 0.01  # share of wrong answers below which a problem counts as solved

Runs = Sequence[RunRecord]


def groups(runs: Iterable[RunRecord], *keys: str) -> dict[tuple, Runs]:
    """Runs by their values of these config keys, in the values' order."""
    return {tuple(group.key.values()): group.records for group in group_records(list(runs), keys)}


def mean(values: Sequence[float] | np.ndarray) -> str:
    """`mean ± half the 95% interval`, by Student's t over seeds."""
    found = summarise(values)
    return f"{format_number(found.mean, 3)} ± {format_number((found.high - found.low) / 2, 2)}"


def draw_means(ax: Axes, x: Sequence[float], values: Sequence[Sequence[float]], label: str, colour: Any) -> None:
    """The mean at each x, joined by a line, and a faint dot for each seed."""
    for place, each in zip(x, values, strict=True):
        ax.plot([place] * len(each), each, "o", color=colour, alpha=0.35, markersize=2.5, markeredgewidth=0)
    ax.plot(x, [np.mean(each) for each in values], "o-", color=colour, label=label, markersize=3.5, linewidth=1.2)


def scores_of(run: RunRecord, lengths: Sequence[int] = ()) -> list[LengthScore]:
    """A run scored on fresh sequences, as `rnnlab evaluate` does."""
    recorded = recorded_task(run)
    return score_lengths(load_model(run).predict, recorded.task, recorded.arguments, recorded.sizes, lengths)


def minibatch(runs: Runs) -> pd.DataFrame:
    """Each size at its best learning rate, at equal updates, sequences and wall time."""
    budgets = {"updates": 40_000, "examples": 400_000, "seconds": 2.0}
    words = {"updates": "40,000 updates", "examples": "400,000 sequences", "seconds": "2 s of training"}
    rows = []
    picture, axes = new_picture(1, 3, width=2 * WIDTH)
    by_size = groups(runs, "training.batch_size")
    for (x, budget), ax in zip(budgets.items(), axes, strict=True):
        for ((size,), of_size), colour in zip(by_size.items(), group_colours(len(by_size)), strict=True):
            by_rate = groups(of_size, "training.learning_rate")
            losses = {rate: [loss_at(run, x, budget) for run in some] for (rate,), some in by_rate.items()}
            rate = min(losses, key=lambda each: np.mean(losses[each]))
            rows.append({"at": words[x], "minibatch": size, "learning rate": rate, "MSE": mean(losses[rate])})
            places = np.median([spent(run, x) for run in by_rate[rate,]], axis=0)
            curves = [run.curves["valid.loss"].values for run in by_rate[rate,]]
            for curve in curves:
                ax.plot(places[2:], curve[2:], color=colour, alpha=0.25, linewidth=0.4)
            ax.plot(places[2:], np.mean(curves, axis=0)[2:], color=colour, label=f"{size} a minibatch")
        ax.axvline(budget, color=FAINT, linewidth=0.8, linestyle=":", label="where the table is read")
        ax.set(xscale="log", yscale="log", xlabel={"examples": "sequences"}.get(x, x))
        log_number_axis(ax.xaxis, *ax.get_xlim())
    axes[0].set_ylabel("validation MSE")
    finish(picture, axes, "study_minibatch.png", "Lines: means over seeds; thin: single seeds.")
    return pd.DataFrame(rows)


def loss_at(run: RunRecord, x: str, budget: float) -> float:
    """The validation loss at the last validation within a budget of updates, examples or seconds."""
    return float(run.curves["valid.loss"].values[np.flatnonzero(spent(run, x) <= budget)[-1]])


def spent(run: RunRecord, x: str) -> np.ndarray:
    """Updates, examples or seconds at each validation; seconds without the first chunk, in which a process compiles."""
    if x == "updates":
        return run.curves["valid.loss"].steps
    values = run.curves[x].values
    return values - values[1] if x == "seconds" else values


def lengths(runs: Runs) -> pd.DataFrame:
    """The error at each length as a share of the targets' variance there."""
    asked = [2, 5, 10, 20, 50, 100]
    rows = []
    picture, (ax,) = new_picture()
    by_kind = groups(runs, "task.n_steps", "model.activation")
    for ((trained, activation), some), colour in zip(by_kind.items(), group_colours(len(by_kind)), strict=True):
        nmse = np.array([[score.nmse for score in scores_of(run, asked)] for run in some])
        words = "2 to 20" if isinstance(trained, tuple) else str(trained)
        cells = {f"T = {length}": mean(nmse[:, i]) for i, length in enumerate(asked)}
        rows.append({"trained on": words, "units": activation, **cells})
        draw_means(ax, asked, list(nmse.T), f"{words} steps, {activation}", colour)
    ax.axhline(1, color=FAINT, linewidth=0.8, linestyle=":", label="predict the mean")
    ax.set(xscale="log", yscale="log", xlabel="length of the sequences", ylabel="error / variance of the targets")
    ax.set_xticks(asked, [str(each) for each in asked])
    ax.minorticks_off()
    finish(picture, [ax], "study_lengths.png")
    return pd.DataFrame(rows)


def gradients(runs: Runs) -> pd.DataFrame:
    """Seeds of five that solve temporal order, and the share of wrong answers, by what is done to the gradient."""
    names = {
        (None, 0.0): "plain SGD",
        (1.0, 0.0): "clipping",
        (None, 4.0): "Omega",
        (1.0, 4.0): "clipping and Omega",
    }
    rows = []
    picture, (ax,) = new_picture()
    by_rule = groups(runs, "training.clip_norm", "training.omega")
    for (rule, name), colour in zip(names.items(), group_colours(len(names)), strict=True):
        row: dict[str, Any] = {"gradient": name}
        wrong = {}
        for (n_steps,), some in groups(by_rule[rule], "task.n_steps").items():
            wrong[n_steps] = metric_values(some, "test_wrong")
            wrong[n_steps] = np.where(np.isnan(wrong[n_steps]), 1.0, wrong[n_steps])  # a run that diverged
            solved = int((wrong[n_steps] < SOLVED).sum())
            row[f"T = {n_steps}: solved"] = f"{solved} of {len(some)}"
            row[f"T = {n_steps}: wrong"] = f"{100 * np.mean(wrong[n_steps]):.1f}%"
        rows.append(row)
        draw_means(ax, list(wrong), [100 * each for each in wrong.values()], name, colour)
    ax.axhline(75, color=FAINT, linewidth=0.8, linestyle=":", label="guessing")
    ax.set(xlabel="T", ylabel="wrong answers, %", ylim=(-2, 82), xticks=list(wrong))
    finish(picture, [ax], "study_gradients.png")
    return pd.DataFrame(rows)


def long_memory(runs: Runs) -> pd.DataFrame:
    """Two published problems: wrong answers on fresh sequences, and what training took."""
    rows = []
    for (task,), some in groups(runs, "task.name").items():
        for run in some:
            loss, batch = run.curves["valid.loss"], run.flat_config["training.batch_size"]
            learned = loss.steps[np.flatnonzero(loss.values < LEARNED[task])]
            rows.append(
                {
                    "problem": task.replace("_", " "),
                    "seed": run.flat_config["seed"],
                    "wrong of fresh sequences": f"{run.result['test_wrong']:.2%} of {run.flat_config['data.n_test']:,}",
                    "sequences until learned": f"{int(learned[0]) * batch:,}" if len(learned) else "not learned",
                    "sequences in all": f"{run.result['n_updates'] * batch:,}",
                    "seconds": round(float(run.curves["seconds"].values[-1])),
                }
            )
    return pd.DataFrame(rows)


# Validation loss below which a problem is called learned: a cross-entropy; and the squared error at which one in a
# hundred normal errors exceeds 0.04.
LEARNED = {"temporal_order": 0.01, "adding": (0.04 / 2.576) ** 2}


def overtraining(runs: Runs) -> pd.DataFrame:
    """The validation error, as a share of the targets' variance, with and without the two remedies."""
    rows = []
    by_noise = groups(runs, "task.noise_std")
    picture, axes = new_picture(1, len(by_noise), width=2 * WIDTH, share=True)
    for ((noise,), some), ax in zip(by_noise.items(), axes, strict=True):
        by_size = groups(some, "data.n_train")
        found: dict[str, list[np.ndarray]] = {}
        for (n_train,), of_size in by_size.items():
            kinds = groups(of_size, "training.input_noise_std")
            values = {
                f"{name}{ending}": metric_values(kinds[std,], f"valid.loss@{place}")
                for std, name in ((0.0, "plain"), (0.1, "noisy inputs"))
                for place, ending in (("last", ""), ("min", ", stopped early"))
            }
            floor = metric_values(of_size, "noise_floor") / metric_values(of_size, "test_mse_mean_predictor")
            rows.append(
                {"noise": noise, "training sequences": n_train}
                | {name: mean(each) for name, each in values.items()}
                | {"noise floor": format_number(float(np.mean(floor)), 3)}
            )
            for name, each in values.items():
                found.setdefault(name, []).append(each)
        sizes = [size for (size,) in by_size]
        for (name, each), colour in zip(found.items(), group_colours(len(found)), strict=True):
            draw_means(ax, sizes, each, name, colour)
        ax.axhline(float(np.mean(floor)), color=FAINT, linewidth=0.8, linestyle=":", label="noise floor")
        ax.set(xscale="log", xlabel="training sequences", title=f"observation noise {noise}")
        ax.set_xticks(sizes, [str(size) for size in sizes])
        ax.minorticks_off()
    axes[0].set_ylabel("validation error / variance")
    finish(picture, axes, "study_overtraining.png")
    return pd.DataFrame(rows)


def sparse(runs: Runs) -> pd.DataFrame:
    """The error by the share of recurrent weights that are not zero."""
    methods: dict[str, Callable[[RunRecord], bool]] = {
        "L1, subgradient": lambda run: run.flat_config["training.l1.W_hh"] > 0 and not proximal(run),
        "L1, proximal": lambda run: run.flat_config["training.l1.W_hh"] > 0 and proximal(run),
        "fixed mask": lambda run: run.flat_config["training.l1.W_hh"] == 0,
    }
    rows = []
    picture, (ax,) = new_picture()
    for (name, chosen), colour in zip(methods.items(), group_colours(len(methods)), strict=True):
        densities, errors = [], []
        keys = ("training.l1.W_hh", "model.recurrent_density")
        for (strength, _), some in groups(filter(chosen, runs), *keys).items():
            density = 1 - metric_values(some, "recurrent.zero_fraction")
            error = metric_values(some, "test_mse_noise_free")
            cells = {"method": name, "strength": strength or None, "density of W_hh": mean(density)}
            rows.append({**cells, "noise-free test MSE": mean(error)})
            densities.append(float(density.mean()))
            errors.append(error)
        draw_means(ax, densities, errors, name, colour)
    ax.set(xlabel="share of W_hh that is not zero", ylabel="noise-free test MSE", yscale="log", xlim=(0, 1.03))
    finish(picture, [ax], "study_sparse.png")
    return pd.DataFrame(rows)


def proximal(run: RunRecord) -> bool:
    """Whether the L1 penalty is applied by soft thresholds."""
    return run.flat_config["training.l1_method"] == "proximal"


def initial_condition(runs: Runs) -> pd.DataFrame:
    """The noise-free error by horizon, for each way to start."""
    steps = [1, 2, 5, 10, 20, 50]
    rows = []
    picture, (ax,) = new_picture()
    by_start = groups(runs, "model.initial_state")
    for ((start,), some), colour in zip(by_start.items(), group_colours(len(by_start)), strict=True):
        errors = np.array([scores_of(run)[0].by_step["noise_free_mse"] for run in some])
        rows.append({"initial state": start} | {f"step {step}": mean(errors[:, step - 1]) for step in steps})
        horizon = 1 + np.arange(errors.shape[1])
        bounds = np.array([[found.low, found.high] for found in map(summarise, errors.T)]).T
        ax.plot(horizon, errors.mean(axis=0), color=colour, label=start)
        ax.fill_between(horizon, *bounds, color=colour, alpha=0.2, linewidth=0)
    ax.set(xscale="log", yscale="log", xlabel="steps since the initial condition", ylabel="noise-free MSE")
    ax.set_xticks(steps, [str(step) for step in steps])
    finish(picture, [ax], "study_initial_condition.png", "Lines: means over seeds; bands: their 95% intervals.")
    return pd.DataFrame(rows)


def cells(runs: Runs) -> pd.DataFrame:
    """Error and time of cells of the same size."""
    rows = []
    for (cell,), some in groups(runs, "model.cell").items():
        per_update = [1e3 * run.curves["seconds"].values[-1] / run.result["n_updates"] for run in some]
        rows.append(
            {
                "cell": cell,
                "units": some[0].flat_config["model.n_hidden"],
                "parameters": some[0].result["n_parameters"],
                "noise-free test MSE": mean(metric_values(some, "test_mse_noise_free")),
                "best epoch": float(np.median(metric_values(some, "best_epoch"))),
                "ms an update": round(float(np.median(per_update)), 2),
            }
        )
    picture = plot_learning_curves(runs, by="model.cell", metric="valid.loss", x="epoch")
    save_figure(picture, PICTURES / "study_cells.png")
    return pd.DataFrame(rows)


def finish(
    picture: Picture, axes: Sequence[Axes], name: str, words: str = "Lines: means over seeds; dots: single seeds."
) -> None:
    """Grid, plain numbers on logarithmic axes, one legend above, file."""
    for ax in axes:
        draw_grid(ax)
        if ax.get_yscale() == "log":
            log_number_axis(ax.yaxis, *ax.get_ylim())
    picture.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2 * len(axes))
    put_notes(picture, [], words)
    save_figure(picture, PICTURES / name)


STUDIES = (minibatch, lengths, gradients, long_memory, overtraining, sparse, initial_condition, cells)


def with_table(document: str, name: str, table: pd.DataFrame) -> str:
    """The document with its table of that name replaced. Raises ValueError where it has none."""
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    replaced, n = place.subn(lambda found: found[1] + to_markdown(table) + found[2], document)
    if n != 1:
        raise ValueError(f"{DOCUMENT}: must have <!-- {name} --> and <!-- end --> once")
    return replaced


def main() -> None:
    """Draw the pictures and replace the tables."""
    document = DOCUMENT.read_text()
    for study in STUDIES:
        runs = open_store(STORES / study.__name__).find(status="COMPLETED")
        with matplotlib.rc_context(STYLE):
            document = with_table(document, study.__name__, study(runs))
    DOCUMENT.write_text(document)
    print(f"{DOCUMENT.relative_to(ROOT)} and its pictures show {STORES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
