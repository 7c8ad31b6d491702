import os
import shutil
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

import rnnlab
from rnnlab import file_cache, kept_functions
from rnnlab.compiled import _IN_BACKGROUND, CompiledFunction, thread_count, to_device
from rnnlab.models.cells import CELLS
from rnnlab.models.network import Architecture, network
from rnnlab.models.readouts import READOUTS, linear, softmax

ROOT = Path(__file__).parents[1]
BATCH, N_STEPS = 3, 6
ARCHITECTURE = Architecture(
    n_in=2,
    n_out=1,
    n_hidden=4,
    n_layers=1,
    cell="elman",
    activation="tanh",
    initial_state="zero",
    n_initial=0,
    every_state=False,
)


def gradient_function(dtype, mode="JAX"):
    """A compiled network's outputs and the gradient of their sum of squares with respect to W_hh."""
    symbols = {name: pt.tensor(name, dtype=dtype, shape=size) for name, size in ARCHITECTURE.parameter_shapes().items()}
    inputs = pt.tensor("inputs", dtype=dtype, shape=(BATCH, N_STEPS, 2))
    outputs = network(ARCHITECTURE, symbols, inputs, None, None).outputs
    gradient = pytensor.grad(pt.sqr(outputs).sum(), symbols["layer1.W_hh"])
    return CompiledFunction(lambda: ([*symbols.values(), inputs], [outputs, gradient]), dtype, mode)


def arguments():
    rng = np.random.default_rng(0)
    parameters = {name: rng.normal(0, 0.7, shape) for name, shape in ARCHITECTURE.parameter_shapes().items()}
    return parameters, rng.normal(size=(BATCH, N_STEPS, 2))


def call(function, dtype):
    parameters, inputs = arguments()
    return function(*(array.astype(dtype) for array in parameters.values()), inputs.astype(dtype))


def by_hand(parameters, inputs):
    """Outputs and gradient by plain loops: back-propagation through time."""
    W_uh, W_hh, b_hh, W_hy, b_hy = parameters.values()
    states = [np.zeros((BATCH, 4))]
    for t in range(N_STEPS):
        states.append(np.tanh(inputs[:, t] @ W_uh + states[-1] @ W_hh + b_hh))
    outputs = states[-1] @ W_hy + b_hy
    message, gradient = 2 * outputs @ W_hy.T, np.zeros_like(W_hh)
    for t in range(N_STEPS, 0, -1):
        message = message * (1 - states[t] ** 2)
        gradient += states[t - 1].T @ message
        message = message @ W_hh.T
    return outputs, gradient


def test_float32_float64_and_float32_in_one_process_each_have_their_own_precision():
    floatX, switch = pytensor.config.floatX, jax.config.jax_enable_x64
    expected = by_hand(*arguments())
    functions, results = [], []
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-12), ("float32", 1e-5)):
        functions.append(gradient_function(dtype))
        results.append(call(functions[-1], dtype))
        for value, right in zip(results[-1], expected, strict=True):
            assert value.dtype == dtype
            assert np.abs(value - right).max() < tolerance * np.abs(right).max()
    for function in (functions[0], functions[2]):  # also the one that was compiled before float64 came
        for before, after in zip(results[0], call(function, "float32"), strict=True):
            np.testing.assert_array_equal(before, after)
    assert (pytensor.config.floatX, jax.config.jax_enable_x64) == (floatX, switch)


def test_data_on_the_device_keeps_its_precision_and_a_float32_call_warns_of_nothing():
    x = {dtype: pt.tensor("x", dtype=dtype, shape=(3,)) for dtype in ("float32", "float64")}
    for dtype, symbol in x.items():
        outputs = [symbol[pt.argsort(symbol)] * 2]
        function = CompiledFunction(lambda graph=([symbol], outputs): graph, dtype)
        on_device = to_device(np.array([3.0, 1.0, 1 / 3]), dtype)
        assert on_device.dtype == dtype
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (output,) = function(on_device)
        np.testing.assert_array_equal(output, np.array([1 / 3, 1.0, 3.0], dtype) * 2)
        assert output.dtype == dtype


def test_the_thread_count_is_what_XLA_was_told():
    assert thread_count() == int(os.environ["PJRT_NPROC"]) >= 1


BOTH = """
import sys
import numpy as np
from rnnlab.models import recurrence
if sys.argv[1] == "loaded":
    recurrence.run_forward = None  # no graph can be built
from rnnlab.evaluation.forward import compile_forward
from rnnlab.models.network import Architecture
from rnnlab.models.symbols import DataShape
from rnnlab.training.epoch import UpdateRule, compile_epoch
arch = Architecture(2, 1, 3, 1, "elman", "tanh", "zero", 0, False)
rule = UpdateRule("momentum", clip=True, l1_groups=(), l2_groups=("W_hh",))
for dtype in ("float32", "float64"):
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=shape).astype(dtype) for name, shape in arch.parameter_shapes().items()}
    inputs, targets = rng.normal(size=(2, 4, 2)).astype(dtype), rng.normal(size=(2, 1)).astype(dtype)
    print(compile_forward(arch, 4, False, dtype)(weights, inputs)[0].tobytes().hex())
    slots = {name: np.zeros(shape, dtype) for name, shape in rule.slot_shapes(arch).items()}
    epoch = compile_epoch(arch, rule, DataShape(2, 4, False), 2, 1, dtype)
    hyper = {"momentum": 0.5, "clip_norm": 1.0, "l2.W_hh": 0.1}
    order, data = np.array([[1], [0]]), (inputs, targets, None, None)
    after, slots, log = epoch(weights, slots, data, order, np.ones((2, 1)), np.full(2, 0.1), 0, hyper)
    print(*(array.tobytes().hex() for array in (*after.values(), *slots.values(), log.loss)))
"""


def both_in_a_process(folder, how, **environment):
    environment = os.environ | {"RNNLAB_CACHE_DIR": str(folder)} | environment
    command = [sys.executable, "-c", BOTH, how]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=100)


def test_what_one_process_compiled_the_next_one_loads_with_the_same_bits_unless_a_setting_differs(tmp_path):
    first = both_in_a_process(tmp_path, "compiled")
    assert (first.returncode, first.stderr) == (0, "")
    loaded = both_in_a_process(tmp_path, "loaded")
    assert (loaded.returncode, loaded.stderr, loaded.stdout) == (0, "", first.stdout)
    for setting in ({"PJRT_NPROC": "2"}, {"JAX_DEFAULT_MATMUL_PRECISION": "highest"}, {"RNNLAB_CACHE_DIR": ""}):
        assert "TypeError" in both_in_a_process(tmp_path, "loaded", **setting).stderr


def test_what_a_function_from_elsewhere_has_part_in_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLAB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(rnnlab, "IMPORTED_AT", time.time() + 60)
    x = pt.tensor("x", dtype="float64", shape=(1,))

    def n_kept_with(*parts):
        function = CompiledFunction(lambda: ([x], [x]), "float64", kept_as="x", built_of=[pt.tanh, linear, *parts])
        function(np.zeros(1))
        _IN_BACKGROUND.submit(int).result()  # what was put there before has been done
        return len(list(tmp_path.iterdir()))

    def step(z, r, states, activation):
        return CELLS["elman"].step(z, r, states, activation)

    foreign = (lambda x: pt.tanh(x), pt.vectorize(lambda x: x), replace(CELLS["elman"], step=step))
    assert [n_kept_with(part) for part in foreign] == [0, 0, 0]
    # And what differs in anything but the name under which it was looked up is another function.
    parts = [softmax, pt.sin, *CELLS.values(), replace(CELLS["elman"], n_kept=1), READOUTS["linear"]]
    assert [n_kept_with(part) for part in parts] == list(range(1, len(parts) + 1))
    assert [n_kept_with(part) for part in parts] == [len(parts)] * len(parts)


def test_once_a_source_has_changed_nothing_is_kept_by_a_process_that_imported_the_old_one(monkeypatch):
    key_of = kept_functions.key_of
    monkeypatch.setattr(rnnlab, "IMPORTED_AT", time.time() + 60)
    assert key_of("name", []) == key_of("name", []) != key_of("other", [])
    with monkeypatch.context() as patch:
        patch.setattr(rnnlab, "IMPORTED_AT", os.stat(rnnlab.__file__).st_ctime)
        assert key_of("name", []) is None
    with monkeypatch.context() as patch:  # as if another folder had been put in the place of the package's
        patch.setattr(rnnlab, "IMPORTED_FROM", 0)
        assert key_of("name", []) is None


def test_a_copy_of_the_package_notices_what_becomes_of_its_files_while_a_process_runs(tmp_path):
    shutil.copytree(ROOT / "rnnlab", tmp_path / "rnnlab", ignore=shutil.ignore_patterns("__pycache__"))
    time.sleep(2.1)
    changes = [
        "(root / '.#cells.py').symlink_to('nowhere')",  # as an editor makes it
        "(root / '.#cells.py').unlink()",
        "(root / 'models' / 'cells.py').open('a').write('')",
        "(root / 'models' / 'cells.py').open('a').write('#')",
    ]
    script = ["from rnnlab.kept_functions import key_of; from pathlib import Path; import rnnlab"]
    script += ["root = Path(rnnlab.__file__).parent; print(key_of('', []) is None)"]
    script += [f"{change}; print(key_of('', []) is None)" for change in changes]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", "; ".join(script)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert (done.stdout.split(), done.stderr) == (["False", "True", "False", "False", "True"], "")


def test_what_cannot_be_loaded_is_compiled_anew_and_what_cannot_be_kept_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNLAB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(rnnlab, "IMPORTED_AT", time.time() + 60)
    x = pt.tensor("x", dtype="float64", shape=(1,))
    key = kept_functions.key_of(("float64", "x"), [])
    file_cache.keep(key, b"not what JAX would make of it")
    assert kept_functions.load(key) is None
    (output,) = CompiledFunction(lambda: ([x], [2 * x]), "float64", kept_as="x")(np.ones(1))
    assert output == 2
    monkeypatch.setattr(kept_functions, "serialize", lambda compiled: 1 / 0)
    (output,) = CompiledFunction(lambda: ([x], [3 * x]), "float64", kept_as="other")(np.ones(1))
    assert output == 3


@pytest.mark.slow
def test_the_same_graph_compiled_by_numba_agrees_to_rounding():
    by_jax, by_numba = (call(gradient_function("float64", mode), "float64") for mode in ("JAX", "NUMBA"))
    for value, other in zip(by_jax, by_numba, strict=True):
        assert np.abs(value - other).max() < 1e-14 * np.abs(value).max()
