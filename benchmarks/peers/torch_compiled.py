"""PyTorch with `torch.compile`, which leaves `nn.RNN` as it is: the loop over time is written out and unrolled."""

import torch
import torch_eager

VERSION = torch_eager.VERSION


class LoopedLSTM(torch_eager.LoopedRNN):
    """What `nn.LSTM` does."""

    def __init__(self, n_in, n_hidden):
        super().__init__(n_in, 4 * n_hidden, None)
        self.weight_hh_l0 = torch.nn.Parameter(torch.empty(4 * n_hidden, n_hidden))

    def forward(self, inputs):
        """As `LoopedRNN.forward`."""
        projected = torch.nn.functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0)
        h = c = inputs.new_zeros(inputs.shape[0], self.weight_hh_l0.shape[1])
        W_hh = self.weight_hh_l0.T
        for z in projected.unbind(1):
            i, f, g, o = torch.addmm(z, h, W_hh).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h.unsqueeze(1), h


class Program(torch_eager.Program):
    """The network is compiled, forward and backward; the loop around it is the same."""

    def __init__(self, settings, data, weights):
        super().__init__(settings, data, weights)
        self._callable = torch.compile(self._network)
