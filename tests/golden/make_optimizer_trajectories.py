"""Make optimizer_trajectories.json, golden values for the training tests, with an independent implementation: PyTorch.

    pip install torch==2.13.0
    python tests/golden/make_optimizer_trajectories.py

PyTorch is no dependency of rnnlab. The tests read the file alone, so this is run again only to add golden values. All
numbers are float64. PyTorch keeps the momentum as b <- m b + g with p <- p - a b, which is the textbook's
v <- m v - a g with v = -a b as long as the learning rate a is constant, as it is here.
"""

import datetime
import json
from pathlib import Path

import torch

STEPS = 30
STARTS = {"quadratic": [4.0, -2.0], "rosenbrock": [-1.0, 1.0]}
SETTINGS = {
    "sgd": {"learning_rate": 5e-4},
    "momentum": {"learning_rate": 5e-4, "momentum": 0.9},
    "nesterov": {"learning_rate": 5e-4, "momentum": 0.9},
    "rmsprop": {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-8},
    "adam": {"learning_rate": 0.02, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
}


def quadratic(p):
    """50 (x - 3)^2 + 250 (y + 1)^2"""
    return 50 * (p[0] - 3) ** 2 + 250 * (p[1] + 1) ** 2


def rosenbrock(p):
    """(1 - x)^2 + 100 (y - x^2)^2"""
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def optimizer(name, parameters):
    s = SETTINGS[name]
    if name in ("sgd", "momentum", "nesterov"):
        return torch.optim.SGD(
            parameters, lr=s["learning_rate"], momentum=s.get("momentum", 0.0), nesterov=name == "nesterov"
        )
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=s["learning_rate"], alpha=s["rho"], eps=s["epsilon"])
    return torch.optim.Adam(parameters, lr=s["learning_rate"], betas=(s["beta1"], s["beta2"]), eps=s["epsilon"])


def trajectory(name, problem):
    """The parameters after each step."""
    p = torch.tensor(STARTS[problem.__name__], requires_grad=True)
    steps = optimizer(name, [p])
    path = []
    for _ in range(STEPS):
        steps.zero_grad()
        problem(p).backward()
        steps.step()
        path.append(p.tolist())
    return path


def elman_training():
    """Three epochs of plain minibatch SGD of an Elman network that reads out its last state."""
    torch.manual_seed(1)
    n_sequences, n_steps, n_in, n_hidden, n_out, batch_size, learning_rate = 7, 5, 2, 3, 2, 3, 0.2
    inputs = torch.rand(n_sequences, n_steps, n_in)
    targets = torch.stack([inputs.prod(dim=2).sum(dim=1), inputs[:, 0, 0]], dim=1)
    orders = [torch.randperm(n_sequences).tolist() for _ in range(3)]
    rnn = torch.nn.RNN(n_in, n_hidden, nonlinearity="tanh", batch_first=True)
    readout = torch.nn.Linear(n_hidden, n_out)
    with torch.no_grad():
        rnn.bias_ih_l0.zero_()
    rnn.bias_ih_l0.requires_grad_(False)  # rnnlab has one bias where PyTorch has two
    trained = {
        "layer1.W_uh": rnn.weight_ih_l0,
        "layer1.W_hh": rnn.weight_hh_l0,
        "layer1.b_hh": rnn.bias_hh_l0,
        "readout.W_hy": readout.weight,
        "readout.b_hy": readout.bias,
    }

    def weights():
        return {name: p.detach().T.tolist() if p.ndim == 2 else p.tolist() for name, p in trained.items()}

    initial = weights()
    sgd = torch.optim.SGD(trained.values(), lr=learning_rate)
    losses, norms = [], []
    for order in orders:
        for start in range(0, n_sequences, batch_size):
            rows = order[start : start + batch_size]
            sgd.zero_grad()
            states, _ = rnn(inputs[rows])
            loss = torch.nn.functional.mse_loss(readout(states[:, -1]), targets[rows])
            loss.backward()
            losses.append(loss.item())
            norms.append(torch.sqrt(sum((p.grad**2).sum() for p in trained.values())).item())
            sgd.step()
    return {
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "inputs": inputs.tolist(),
        "targets": targets.tolist(),
        "orders": orders,
        "initial_weights": initial,
        "losses": losses,
        "gradient_norms": norms,
        "final_weights": weights(),
    }


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    golden = {
        "provenance": {
            "library": "PyTorch (torch.optim, torch.nn.RNN, torch.autograd) on the CPU, float64",
            "version": torch.__version__,
            "date": datetime.date.today().isoformat(),
            "script": "tests/golden/make_optimizer_trajectories.py",
        },
        "problems": {problem.__name__: problem.__doc__ for problem in (quadratic, rosenbrock)},
        "starts": STARTS,
        "settings": SETTINGS,
        "trajectories": {
            name: {problem.__name__: trajectory(name, problem) for problem in (quadratic, rosenbrock)}
            for name in SETTINGS
        },
        "elman_training": elman_training(),
    }
    path = Path(__file__).with_name("optimizer_trajectories.json")
    path.write_text(json.dumps(golden, separators=(",", ":")).replace('],"', '],\n"').replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main()
