"""Weight penalties, each with its own strength per weight group."""

from collections.abc import Mapping

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

WEIGHT_GROUPS = ("W_uh", "W_hh", "W_hy", "W_init")


def weight_group(parameter_name: str) -> str:
    """The group of a parameter: `layer2.W_hh` belongs to `W_hh`. Biases are in no penalised group."""
    return parameter_name.rpartition(".")[2]


def l1_penalty(
    parameters: Mapping[str, TensorVariable], strengths: Mapping[str, TensorVariable]
) -> TensorVariable | float:
    """`sum_g strength[g] sum |W|` over the weights W of each group g that has a strength."""
    return sum(
        strengths[weight_group(name)] * pt.abs(weights).sum()
        for name, weights in parameters.items()
        if weight_group(name) in strengths
    )


def l2_penalty(
    parameters: Mapping[str, TensorVariable], strengths: Mapping[str, TensorVariable]
) -> TensorVariable | float:
    """`sum_g strength[g] sum W^2` over the weights W of each group g that has a strength."""
    return sum(
        strengths[weight_group(name)] * pt.sqr(weights).sum()
        for name, weights in parameters.items()
        if weight_group(name) in strengths
    )
