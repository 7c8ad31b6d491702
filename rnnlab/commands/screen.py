"""Showing a picture on the screen, where there is one: as a file, with whatever program the system shows pictures."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rnnlab.errors import RnnlabError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_screen() -> None:
    """Raise RnnlabError if there is no screen, or no program to show a picture on it."""
    if sys.platform.startswith("linux"):
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise RnnlabError("there is no screen here: name a file, such as -o picture.png")
        if shutil.which("xdg-open") is None:
            raise RnnlabError("there is no xdg-open to show pictures with: name a file, such as -o picture.png")


def show_picture(picture: "Figure") -> None:
    """Show a picture; its file stays for the program that shows it."""
    from rnnlab.analysis.picture import save_figure

    path = save_figure(picture, Path(tempfile.mkdtemp(prefix="rnnlab-"), "picture.png"))
    if typer.launch(str(path)) != 0:
        raise RnnlabError(f"the picture could not be shown; it is in {path}")
