"""How the small networks of `probe` are trained: so many steps, whatever there is to learn from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def cycle(optimizer: Any, count: int, batch: int, steps: int, loss: Callable[[Any], Any]) -> None:
    """One cycle of the learning rate. `count`: pictures. `loss`: of those with these places, `batch` of them: all of
    them, then all in another order, and so on."""
    (group,) = optimizer.param_groups
    device = group["params"][0].device
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, group["lr"], total_steps=steps)
    epochs = -(-steps * batch // count)
    order = torch.cat([torch.randperm(count) for _ in range(epochs)]).to(device)
    for step in range(steps):
        found = loss(order[step * batch : (step + 1) * batch])
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
        rate.step()
