"""How every picture looks, and saving it: one style, one palette, no global matplotlib state."""

import os
import textwrap
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.analysis.groups import AnalysisError
from rnnlab.atomic_file import write_atomically

# Colours told apart with any kind of colour vision: M. Okabe & K. Ito, "Color Universal Design (CUD)", 2008. Their
# yellow is left out, which is too light for lines on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# For more groups than that, and for magnitudes: J. Nunez, C. Anderton, R. Renslow, PLoS ONE 13(7), 2018.
COLOUR_MAP = "cividis"
FAINT = "#888888"

WIDTH, HEIGHT = 4.2, 2.9  # inches: one column of a paper with 7 to 8 point type
NOTE_LINE = 0.1  # inches of a line below a picture; more than so many make it higher
NOTES_IN_HEIGHT = 2
ENDINGS = ("png", "pdf", "svg")

STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.3,
    "text.parse_math": False,  # a config value may hold a dollar sign
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # fonts as fonts: journals refuse the outlines of type 3
    "svg.hashsalt": "rnnlab",  # the same picture gives the same file
}


class Picture(Figure):
    """A matplotlib Figure of its own, not pyplot's, that Jupyter shows; `notes` are what its reader must know."""

    notes: tuple[str, ...] = ()

    def _repr_png_(self) -> bytes:
        return figure_bytes(self, "png")


def new_picture(
    n_rows: int = 1, n_columns: int = 1, width: float = WIDTH, height: float = HEIGHT, share: bool = False
) -> tuple[Picture, list[Axes]]:
    """An empty picture and its axes, row by row; with `share` all axes have the same limits."""
    picture = Picture(figsize=(width, height), layout="constrained")
    axes = picture.subplots(n_rows, n_columns, squeeze=False, sharex=share, sharey=share)
    return picture, list(axes.flat)


def group_colours(n: int) -> list:
    """n colours: the palette, or evenly from the colour map where the palette is too short."""
    if n <= len(PALETTE):
        return list(PALETTE[:n])
    return [matplotlib.colormaps[COLOUR_MAP](0.95 * i / (n - 1)) for i in range(n)]


def put_notes(target: Picture | Axes, notes: Sequence[str], explanation: str = "") -> None:
    """Write `explanation` and the notes under a picture; for axes of somebody else's figure the notes are warnings."""
    if isinstance(target, Axes):
        for note in notes:
            warnings.warn(note, stacklevel=3)
        return
    target.notes = tuple(notes)
    width = int(24 * target.get_figwidth())  # letters of 6 points that fit
    lines = [line for text in [explanation, *notes[:4]] if text for line in textwrap.wrap(text, width)]
    if len(notes) > 4:
        lines.append(f"and {len(notes) - 4} more notes")
    if lines:
        target.set_figheight(target.get_figheight() + NOTE_LINE * max(len(lines) - NOTES_IN_HEIGHT, 0))
        target.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=6, color="#555555")


def figure_bytes(figure: Figure, ending: str) -> bytes:
    """The file of a figure, `ending` one of `ENDINGS`; without dates in it, so that the same figure gives the same."""
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[ending]
    buffer = BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format=ending, metadata=metadata)
    return buffer.getvalue()


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure in the format of the path's ending, whole or not at all, and return the path.

    Missing folders are made. Raises AnalysisError for an ending that is none of `ENDINGS` or a path not to be written.
    """
    path = Path(path)
    ending = path.suffix.lower().removeprefix(".")
    if ending not in ENDINGS:
        raise AnalysisError(f"picture {str(path)!r}: the file's ending must be one of .{', .'.join(ENDINGS)}")
    write_whole(path, figure_bytes(figure, ending))
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file in one step, its folders made where they are missing. Raises AnalysisError where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise AnalysisError(f"cannot write {str(path)!r}: {error.strerror}") from error
