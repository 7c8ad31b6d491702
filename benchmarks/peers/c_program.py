"""The floor: `elman.c`, compiled for the work at hand and called once an epoch."""

import ctypes
import os
import subprocess
import tempfile

import numpy as np

VERSION = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "elman.c")


def _pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


class Program:
    """Batch size 1, Elman networks only."""

    def __init__(self, settings, data, weights):
        sizes = {
            "N_HIDDEN": settings["n_hidden"],
            "N_STEPS": settings["n_steps"],
            "SIGMOID": int(settings["activation"] == "sigmoid"),
        }
        with tempfile.TemporaryDirectory() as folder:
            library = os.path.join(folder, "elman.so")
            defines = [f"-D{name}={value}" for name, value in sizes.items()]
            command = ["cc", "-O3", "-march=native", "-shared", "-fPIC", *defines, SOURCE, "-o", library]
            subprocess.run(command, check=True)
            self._library = ctypes.CDLL(library)
        initial = [np.ascontiguousarray(weights[name]) for name in ("W_uh", "W_hh", "b_hh", "W_hy", "b_hy")]
        self._library.set_parameters(*map(_pointer, initial))
        self._inputs, self._targets = (np.ascontiguousarray(array) for array in data)
        self._rate = ctypes.c_float(settings["learning_rate"])

    def train(self, order):
        """One update for each row of `order`; returns their losses."""
        losses = np.empty(len(order), "float32")
        self._library.train(
            _pointer(self._inputs), _pointer(self._targets), _pointer(order), len(order), self._rate, _pointer(losses)
        )
        return losses
