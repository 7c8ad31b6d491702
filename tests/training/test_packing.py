import numpy as np
import pytest

from rnnlab.models.network import Architecture
from rnnlab.training.epoch import UpdateRule
from rnnlab.training.optimizers import OPTIMIZERS
from rnnlab.training.packing import Packing

SHAPES = {"layer1.W_hh": (3, 3), "layer1.b_hh": (3,), "readout.b_hy": (1,)}
ARRAYS = {name: np.random.default_rng(0).normal(size=shape) for name, shape in SHAPES.items()}


@pytest.mark.parametrize("together", [False, True])
def test_what_was_packed_comes_out_again_whatever_the_order_it_was_given_in(together):
    packing = Packing(SHAPES, together)
    blocks = packing.pack(dict(reversed(ARRAYS.items())))
    assert {name: block.shape for name, block in blocks.items()} == packing.shapes
    arrays = packing.unpack(blocks)
    assert list(arrays) == list(SHAPES)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, ARRAYS[name])


def test_together_there_is_one_vector_of_all_arrays_and_otherwise_a_block_of_each():
    assert Packing(SHAPES, together=True).shapes == {"all": (13,)}
    assert Packing(SHAPES, together=False).shapes == SHAPES


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_an_optimizer_with_slots_carries_a_vector(optimizer):
    arch = Architecture(1, 1, 2, 1, "elman", "tanh", "zero", 0, False)
    packing = UpdateRule(optimizer, clip=False, l1_groups=(), l2_groups=()).packing(arch)
    assert (list(packing.shapes) == ["all"]) == bool(OPTIMIZERS[optimizer].slots)
