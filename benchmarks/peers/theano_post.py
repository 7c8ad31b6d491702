"""The blog post's program on Theano 1.0.5: `scan`, `grad`, shared weights, and one sequence a call.

Theano is given the BLAS that its NumPy brings along, without which it would multiply matrices much more slowly.
"""

import glob
import os

import numpy as np

LIBRARY = glob.glob(os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "numpy.libs", "libopenblas*.so"))[0]
FOLDER, FILE = os.path.split(LIBRARY)
os.environ["THEANO_FLAGS"] = ",".join(
    [
        "floatX=float32",
        f"blas.ldflags=-L{FOLDER} -l:{FILE} -Xlinker -rpath={FOLDER}",
        os.environ.get("THEANO_FLAGS", ""),
    ]
)

import theano  # noqa: E402  (reads the flags)
import theano.tensor as tt  # noqa: E402

VERSION = f"theano {theano.__version__}"


class Program:
    """Elman networks at batch size 1."""

    def __init__(self, settings, data, weights):
        self._inputs, self._targets = data
        self._rate = settings["learning_rate"]
        g = {"tanh": tt.tanh, "sigmoid": tt.nnet.sigmoid}[settings["activation"]]
        W_uh, W_hh, b_hh, W_hy, b_hy = parameters = [
            theano.shared(weights[name], name) for name in ("W_uh", "W_hh", "b_hh", "W_hy", "b_hy")
        ]
        u, target, rate = tt.matrix("u"), tt.vector("target"), tt.scalar("rate")
        h, _ = theano.scan(
            lambda u_t, h_before, W_uh, W_hh, b_hh: g(tt.dot(u_t, W_uh) + tt.dot(h_before, W_hh) + b_hh),
            sequences=u,
            outputs_info=theano.shared(np.zeros(settings["n_hidden"], "float32")),
            non_sequences=[W_uh, W_hh, b_hh],
        )
        cost = tt.mean((tt.dot(h[-1], W_hy) + b_hy - target) ** 2)
        gradients = tt.grad(cost, parameters)
        self._train_step = theano.function(
            [u, target, rate],
            cost,
            updates=[(weight, weight - rate * gradient) for weight, gradient in zip(parameters, gradients)],  # noqa: B905
            allow_input_downcast=True,
        )

    def train(self, order):
        """One update for each row of `order`; returns their losses."""
        return [self._train_step(self._inputs[k], self._targets[k], self._rate) for k in order[:, 0]]
