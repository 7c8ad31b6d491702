"""One run of the sweeps in PyTorch: what `rnnlab sweep` does in benchmarks/sweeps.py, without any tracking.

An Elman network learns the dot product of two streams of 10 numbers from 1,000 sequences, with a validation after every
50 updates, and is scored on a test split with the best weights.
"""

import copy

import torch
from torch import nn


class Network(nn.Module):
    """An Elman network whose last state is read out."""

    def __init__(self, n_hidden):
        super().__init__()
        self.rnn = nn.RNN(2, n_hidden, batch_first=True)
        self.readout = nn.Linear(n_hidden, 1)

    def forward(self, inputs):
        """(batch, n_steps, 2) -> (batch, 1)."""
        states, _ = self.rnn(inputs)
        return self.readout(states[:, -1])


def sequences(n, generator):
    """Inputs (n, 10, 2), uniform on (0, 1), and their dot products (n, 1)."""
    inputs = torch.rand(n, 10, 2, generator=generator)
    return inputs, inputs.prod(dim=2).sum(dim=1, keepdim=True)


OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


def train(seed, log, n_epochs, n_hidden, batch_size, optimizer, learning_rate):
    """Train, call `log(step, {name: value})` at each validation, and return the best weights and the test loss."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    (inputs, targets), valid, test = (sequences(n, generator) for n in (1000, 200, 200))
    network = Network(n_hidden)
    optimizer = OPTIMIZERS[optimizer](network.parameters(), lr=learning_rate)
    step, best, best_weights, losses = 0, float("inf"), None, []
    for _ in range(n_epochs):
        for rows in torch.randperm(len(inputs), generator=generator).split(batch_size):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(network(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
            if step % 50:
                continue
            with torch.no_grad():
                valid_loss = nn.functional.mse_loss(network(valid[0]), valid[1]).item()
            log(step, {"train.loss": sum(losses) / len(losses), "valid.loss": valid_loss})
            losses = []
            if valid_loss < best:
                best, best_weights = valid_loss, copy.deepcopy(network.state_dict())
    network.load_state_dict(best_weights)
    with torch.no_grad():
        return best_weights, nn.functional.mse_loss(network(test[0]), test[1]).item()
