"""The character model in PyTorch: the worker's network, streams, windows and optimizer.

`nn.LSTM` on one-hot characters, every position predicted, the state carried. Writing is a loop over
characters with the cell's lines written out and a row of the input's kernel looked up, as the worker does.
"""

import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from benchmarks.data import arrays

STREAMS, WINDOW, UNITS = 64, 25, 128
LEARNING_RATE, CLIP_NORM = 4e-3, 1.0


class PyTorch:
    """The network and the text it learns."""

    def __init__(self, data: Path | str, seed: int) -> None:
        """The text is cut into streams once."""
        torch.manual_seed(seed)
        stored = arrays(data)
        self._vocabulary = int(stored["vocabulary"])
        self._lstm = nn.LSTM(self._vocabulary, UNITS)
        self._dense = nn.Linear(UNITS, self._vocabulary)
        self._weights = [*self._lstm.parameters(), *self._dense.parameters()]
        self._optimizer = torch.optim.Adam(self._weights, LEARNING_RATE, eps=1e-7, fused=True)
        text = torch.from_numpy(stored["training"].astype("int64"))
        length = (len(text) - 1) // STREAMS
        self._streams = text[: STREAMS * length + 1]
        self._inputs = self._streams[:-1].view(STREAMS, length).T.contiguous()
        self._targets = self._streams[1:].view(STREAMS, length).T.contiguous()
        self._place = 0
        self._state: Any = None

    def train(self, seconds: float) -> dict[str, float]:
        """Train for so many seconds, from where the last call ended."""
        made, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            if self._place + WINDOW > len(self._inputs):
                self._place, self._state = 0, None
            window = slice(self._place, self._place + WINDOW)
            inputs = one_hot(self._inputs[window], self._vocabulary).float()
            hidden, state = self._lstm(inputs, self._state)
            loss = cross_entropy(self._dense(hidden).flatten(0, 1), self._targets[window].flatten())
            self._optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self._weights, CLIP_NORM)
            self._optimizer.step()
            self._state = (state[0].detach(), state[1].detach())
            self._place, made = self._place + WINDOW, made + 1
        took = time.perf_counter() - began
        return {"seconds": took, "characters_per_second": made * STREAMS * WINDOW / took}

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def write(self, characters: int, texts: int = 1) -> dict[str, float]:
        """Write so many texts of so many characters side by side, at temperature 1."""
        lstm: Any = self._lstm
        table = (lstm.weight_ih_l0 + (lstm.bias_ih_l0 + lstm.bias_hh_l0)[:, None]).T.contiguous()
        recurrent = lstm.weight_hh_l0.T.contiguous()
        dense, bias = self._dense.weight.T.contiguous(), self._dense.bias
        state, cell = torch.zeros(texts, UNITS), torch.zeros(texts, UNITS)
        last = torch.zeros(texts, dtype=torch.int64)
        written = torch.empty(characters, texts, dtype=torch.int64)
        began = time.perf_counter()
        for place in range(characters):
            i, f, g, o = torch.addmm(table[last], state, recurrent).chunk(4, 1)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            state = o.sigmoid() * cell.tanh()
            last = torch.addmm(bias, state, dense).softmax(1).multinomial(1)[:, 0]
            written[place] = last
        return {"characters_per_second": texts * characters / (time.perf_counter() - began)}


def start(**options: Any) -> PyTorch:
    """PyTorch's side."""
    return PyTorch(**options)
