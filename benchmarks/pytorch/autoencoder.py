"""The autoencoder and the denoiser in PyTorch: the worker's network, batches, learning rates and noise.

Fresh normals for each batch where there is noise; the sigmoid and the logarithm in one (`BCEWithLogitsLoss`),
Adam fused. Not `torch.compile`, which needs a C++ compiler on the machine.
"""

import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.data import arrays, image_errors, scaled

BATCH = 256
LEARNING_RATE = 3e-3
WARM_UP_STEPS, DECAY_STEPS = 200, 1_000


class PyTorch:
    """One network and its images, all in memory as float32."""

    def __init__(self, data: Path | str, seed: int, noise: float) -> None:
        """`noise` is the standard deviation of what is added to the input, 0 for the autoencoder."""
        torch.manual_seed(seed)
        stored = arrays(data)
        self._train, self._validation, self._test = (
            torch.from_numpy(scaled(stored[name])) for name in ("train", "validation", "test")
        )
        self._noisy_test, self._noise = torch.from_numpy(stored["noisy_test"]), noise
        self._model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 784))
        for layer in (self._model[0], self._model[2]):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self._loss = nn.BCEWithLogitsLoss()
        self._optimizer = torch.optim.Adam(self._model.parameters(), LEARNING_RATE, eps=1e-7, fused=True)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, _warm_up_then_decay)

    def epoch(self) -> dict[str, float]:
        """Train one epoch and measure it on the validation images."""
        began = time.perf_counter()
        for rows in torch.randperm(len(self._train)).split(BATCH):
            clean = self._train[rows]
            loss = self._loss(self._model(self._seen(clean)), clean)
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self._schedule.step()
        with torch.inference_mode():
            validation = self._loss(self._model(self._seen(self._validation)), self._validation)
        return {"seconds": time.perf_counter() - began, "validation_loss": float(validation)}

    def quality(self) -> dict[str, float]:
        """BCE and PSNR on the test images, noisy ones if it is a denoiser."""
        with torch.inference_mode():
            output = torch.sigmoid(self._model(self._noisy_test if self._noise else self._test))
        return image_errors(self._test.numpy(), output.numpy())

    def _seen(self, clean: torch.Tensor) -> torch.Tensor:
        if not self._noise:
            return clean
        return torch.randn_like(clean).mul_(self._noise).add_(clean).clamp_(0, 1)


def _warm_up_then_decay(step: int) -> float:
    return min(1.0, (step + 1) / WARM_UP_STEPS) / math.sqrt(1 + step / DECAY_STEPS)


def start(**options: Any) -> PyTorch:
    """PyTorch's side."""
    return PyTorch(**options)
