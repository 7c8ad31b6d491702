"""The programs that are measured beside each other, and which work each of them can do."""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.work import Work

ROOT = Path(__file__).resolve().parents[1]
# Made by `make bench`; the second one where there is a Python 3.8.
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
THEANO_PYTHON = ROOT / ".venv-theano" / "bin" / "python"

LONGEST_COMPILED = 10  # steps that torch.compile unrolls within a minute


@dataclass(frozen=True)
class Program:
    """One of them: its name in tables, its module in peers/, the Python that runs it, and whether it does a work.

    `caches` are environment variables for what the program keeps between processes: `{cache}` stands for a folder.
    `command` is another program that it needs.
    """

    name: str
    module: str
    python: Path
    does: Callable[[Work], bool] = lambda work: True
    caches: Mapping[str, str] = field(default_factory=dict)
    command: str = ""

    @property
    def installed(self) -> bool:
        """Whether its Python is there, with which its packages were installed, and the command that it needs."""
        return self.python.exists() and (not self.command or shutil.which(self.command) is not None)


OWN_PYTHON = Path(sys.executable)
RNNLAB_CACHE = {"RNNLAB_CACHE_DIR": "{cache}"}
JAX_CACHE = {
    "JAX_COMPILATION_CACHE_DIR": "{cache}",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
RNNLAB = Program("rnnlab", "rnnlab_run", OWN_PYTHON, caches=RNNLAB_CACHE)
PLAIN_C = Program(
    "plain C", "c_program", OWN_PYTHON, lambda work: work.batch_size == 1 and work.cell == "elman", command="cc"
)
MATRIX_PRODUCTS = Program(
    "the matrix products alone",
    "matrix_products",
    OWN_PYTHON,
    lambda work: work.batch_size > 1 and work.cell == "elman",
)
JAX_EPOCH = Program("JAX by hand, epoch in one scan", "jax_epoch", OWN_PYTHON, caches=JAX_CACHE)
JAX_TUNED = Program(
    "JAX by hand, tuned", "jax_tuned", OWN_PYTHON, lambda work: work.batch_size == 1 or work.n_steps <= 20, JAX_CACHE
)
JAX_UPDATE = Program("JAX by hand, one update a call", "jax_update", OWN_PYTHON, caches=JAX_CACHE)
PYTENSOR = Program("PyTensor, one update a call", "pytensor_update", OWN_PYTHON, caches=JAX_CACHE)
TORCH = Program("PyTorch, eager", "torch_eager", BENCH_PYTHON)
TORCH_COMPILED = Program(
    "PyTorch, torch.compile",
    "torch_compiled",
    BENCH_PYTHON,
    lambda work: work.n_steps <= LONGEST_COMPILED and work.n_hidden in (20, 100),
    {"TORCHINDUCTOR_CACHE_DIR": "{cache}"},
)
THEANO = Program(
    "Theano 1.0.5, the post's program",
    "theano_post",
    THEANO_PYTHON,
    lambda work: work.batch_size == 1 and work.cell == "elman",
    {"THEANO_FLAGS": "base_compiledir={cache}"},
)
PROGRAMS = (RNNLAB, PLAIN_C, MATRIX_PRODUCTS, JAX_EPOCH, JAX_TUNED, JAX_UPDATE, PYTENSOR, TORCH, TORCH_COMPILED, THEANO)
