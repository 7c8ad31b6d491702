"""Makes cell_values.json: hidden states of PyTorch's own LSTM and GRU, in float64, as golden values for rnnlab's cells.

Run it in an environment with PyTorch: `python tests/golden/make_cell_values.py`. PyTorch has its weights transposed,
the GRU's blocks in the order reset, update, new, a second bias (set to 0 here), and the LSTM's in the order i, f, g, o.
"""

import json
from pathlib import Path

import torch

N_IN, N_HIDDEN, N_STEPS, BATCH = 3, 4, 6, 2


def values(kind: str) -> dict:
    """Weights as rnnlab has them, inputs, and the hidden states that PyTorch computes."""
    torch.manual_seed(7)
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](N_IN, N_HIDDEN, batch_first=True).double()
    with torch.no_grad():
        layer.bias_hh_l0.zero_()
        inputs = torch.randn(BATCH, N_STEPS, N_IN, dtype=torch.float64)
        states, _ = layer(inputs)
    return {
        "W_uh": layer.weight_ih_l0.T.tolist(),
        "W_hh": layer.weight_hh_l0.T.tolist(),
        "b_hh": layer.bias_ih_l0.tolist(),
        "inputs": inputs.tolist(),
        "states": states.tolist(),
    }


if __name__ == "__main__":
    version = torch.__version__.split("+")[0]
    golden = {"made_by": f"PyTorch {version}", **{kind: values(kind) for kind in ("lstm", "gru")}}
    Path(__file__).with_name("cell_values.json").write_text(json.dumps(golden, indent=1) + "\n")
