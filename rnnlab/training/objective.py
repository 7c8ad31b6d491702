"""What one update minimises: the loss of a minibatch with penalties, and the gradient of it."""

import pytensor
import pytensor.tensor as pt

from rnnlab.models.losses import absolute_error, mean_over_sequences, mean_over_steps
from rnnlab.models.network import network
from rnnlab.models.omega import omega
from rnnlab.models.penalties import l1_penalty, l2_penalty, weight_group
from rnnlab.models.readouts import READOUTS
from rnnlab.training.backpropagation import backpropagate
from rnnlab.training.gradients import clip_by_norm, gradient_norm


def minibatch_loss(architecture, parameters, minibatch, weight):
    """The network, and the loss and the absolute error of one minibatch: the weighted mean over its sequences."""
    mask = minibatch.get("mask")
    built = network(architecture, parameters, minibatch["inputs"], mask, minibatch.get("initial"))

    targets = minibatch["targets"]
    losses = READOUTS[architecture.readout].loss(built.scores, targets)
    loss, error = (
        mean_over_sequences(mean_over_steps(each, mask), weight)
        for each in (losses, absolute_error(built.outputs, targets))
    )
    return built, loss, error


def objective_gradient(rule, parameters, built, loss, hyper):
    """The gradient of loss plus penalties by parameter name, clipped if the rule says so.

    Returns it with its norm before clipping, and with Omega and its share of usable steps where that penalty is on.
    """
    back = backpropagate(built, parameters, loss)
    gradients = dict(back.by_name)
    subgradients = rule.l1_groups if rule.l1_method == "subgradient" else ()
    penalties = (
        (l1_penalty, {group: hyper[f"l1.{group}"] for group in subgradients}),
        (l2_penalty, {group: hyper[f"l2.{group}"] for group in rule.l2_groups}),
    )
    for penalty, strengths in penalties:
        penalised = [name for name in parameters if weight_group(name) in strengths]
        if penalised:
            found = pytensor.grad(penalty(parameters, strengths), [parameters[name] for name in penalised])
            gradients |= {name: gradients[name] + one for name, one in zip(penalised, found, strict=True)}
    penalty_log = []
    if rule.omega:
        penalty_log = _add_omega(gradients, back.layers, built.layers, hyper["omega"])
    if rule.connectivity:
        gradients = {name: gradients[name] * hyper["connectivity"][name] for name in gradients}
    norm = gradient_norm(gradients.values())
    if rule.clip:
        gradients = {name: clip_by_norm(gradients[name], norm, hyper["clip_norm"]) for name in gradients}
    return gradients, norm, penalty_log


def _add_omega(gradients, back, layers, strength):
    """Add every layer's penalty to the gradient of its W_hh; Omega summed over layers, usable steps averaged."""
    penalties, shares = [], []
    for layer, through in zip(layers, back, strict=True):
        recurrence = layer.recurrence
        penalty, derivative, usable = omega(recurrence.W_hh, through.hidden, through.products, recurrence.mask)
        gradients[f"{layer.name}.W_hh"] += strength * derivative
        penalties.append(penalty)
        shares.append(usable)
    return [sum(penalties), sum(shares) / pt.constant(len(shares), dtype=shares[0].dtype)]
