import numpy as np
import pytest

from rnnlab.models.network import Architecture
from rnnlab.training.epoch import UpdateRule
from rnnlab.training.optimizers import OPTIMIZERS
from rnnlab.training.packing import Packing

SHAPES = {"layer1.W_hh": (3, 3), "layer1.b_hh": (3,), "readout.b_hy": (1,)}
ARRAYS = {name: np.random.default_rng(0).normal(size=shape) for name, shape in SHAPES.items()}


def test_what_was_packed_comes_out_again_whatever_the_order_it_was_given_in():
    packing = Packing(SHAPES)
    vector = packing.pack(dict(reversed(ARRAYS.items())))
    assert vector.shape == (packing.size,) == (13,)
    arrays = packing.unpack(vector)
    assert list(arrays) == list(SHAPES)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, ARRAYS[name])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_an_optimizer_with_slots_carries_its_parameters_as_a_vector(optimizer):
    arch = Architecture(1, 1, 2, 1, "elman", "tanh", "zero", 0, False)
    rule = UpdateRule(optimizer, clip=False, l1_groups=(), l2_groups=())
    slots = OPTIMIZERS[optimizer].slots
    assert rule.carries_vectors == bool(slots) == (optimizer != "sgd")
    assert {name: packing.size for name, packing in rule.vectors(arch).items()} == dict.fromkeys(
        ("parameters", *slots), 11
    )
