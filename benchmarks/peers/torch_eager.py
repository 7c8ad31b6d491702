"""PyTorch, eager: `nn.RNN` or `nn.LSTM`, a linear readout, and `optim.SGD`."""

import numpy as np
import torch
from torch import nn

VERSION = f"torch {torch.__version__}"


class LoopedRNN(nn.Module):
    """What `nn.RNN` does, for a function of the hidden units that it does not have."""

    def __init__(self, n_in, n_hidden, activation):
        super().__init__()
        self.weight_ih_l0 = nn.Parameter(torch.empty(n_hidden, n_in))
        self.weight_hh_l0 = nn.Parameter(torch.empty(n_hidden, n_hidden))
        self.bias_ih_l0 = nn.Parameter(torch.empty(n_hidden))
        self._activation = activation

    def forward(self, inputs):
        """The last state twice: as a sequence of one, and by itself."""
        projected = nn.functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0)
        h = inputs.new_zeros(inputs.shape[0], self.weight_hh_l0.shape[0])
        W_hh = self.weight_hh_l0.T
        for z in projected.unbind(1):
            h = self._activation(torch.addmm(z, h, W_hh))
        return h.unsqueeze(1), h


class Network(nn.Module):
    """The recurrent layer, and the readout of its last state."""

    def __init__(self, recurrent, n_hidden):
        super().__init__()
        self.recurrent = recurrent
        self.readout = nn.Linear(n_hidden, 1)

    def forward(self, inputs):
        """The readout of the last state."""
        states, _ = self.recurrent(inputs)
        return self.readout(states[:, -1])


def make_network(settings, weights):
    """The network with the given weights. PyTorch has two biases for each unit: the second one stays 0."""
    n_hidden = settings["n_hidden"]
    if settings["cell"] == "lstm":
        recurrent = nn.LSTM(2, n_hidden, batch_first=True)
    elif settings["activation"] == "tanh":
        recurrent = nn.RNN(2, n_hidden, nonlinearity="tanh", batch_first=True)
    else:
        recurrent = LoopedRNN(2, n_hidden, getattr(torch, settings["activation"]))
    network = Network(recurrent, n_hidden)
    given = {
        "recurrent.weight_ih_l0": weights["W_uh"].T,
        "recurrent.weight_hh_l0": weights["W_hh"].T,
        "recurrent.bias_ih_l0": weights["b_hh"],
        "recurrent.bias_hh_l0": np.zeros_like(weights["b_hh"]),
        "readout.weight": weights["W_hy"].T,
        "readout.bias": weights["b_hy"],
    }
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(given[name])))
            parameter.requires_grad_(not name.endswith("bias_hh_l0"))
    return network


class Program:
    """The usual loop: zero the gradients, forward, backward, step."""

    def __init__(self, settings, data, weights):
        torch.set_num_threads(1)
        self._inputs, self._targets = (torch.from_numpy(array) for array in data)
        self._network = self._callable = make_network(settings, weights)
        trained = [parameter for parameter in self._network.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.SGD(trained, lr=settings["learning_rate"])

    def train(self, order):
        """One update for each row of `order`; returns their losses."""
        losses = []
        for rows in torch.from_numpy(order):
            self._optimizer.zero_grad()
            loss = nn.functional.mse_loss(self._callable(self._inputs[rows]), self._targets[rows])
            loss.backward()
            self._optimizer.step()
            losses.append(loss.item())
        return np.array(losses)
