"""A small convolutional autoencoder: a picture of side x side x 3 becomes a code of side/8 x side/8 x 32, and back.

Only the differences between two decoded codes are used by `feature_space`, so the code need not hold every detail; it
has to be smooth. For that the codes are made noisy while it is fitted, as in denoising autoencoders (Vincent et al.
2008), and held near the unit normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import mse_loss

from augx.artefact import Place
from augx.drawing.sheet import Row, Tile
from augx.learn import data, files, training
from augx.learn.data import Data, Pixels
from augx.learn.door import alone
from augx.learn.training import cycle, enlarged, unit
from augx.model import Json

METHOD = "autoencoder"
_DEPTH = 32  # channels of a code
_BATCH = 64
_RATE = 2e-3  # of learning, at its most
_NOISE = 0.1  # added to codes while fitted
_PULL = 1e-3  # of codes to the unit normal
_SHOWN = 6  # pictures on the sheet
_MOST_WIDTH = 512

Code = NDArray[np.float32]


class Autoencoder(nn.Module):
    """Pictures in -1..1. Pixels are folded two by two into channels at both ends, which costs a quarter of what full
    size would."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2),
            *_convolved(12, width),
            *_convolved(width, 2 * width, stride=2),
            *_convolved(2 * width, 2 * width, stride=2),
            nn.Conv2d(2 * width, _DEPTH, 1),
        )
        self.decoder = nn.Sequential(
            *_convolved(_DEPTH, 2 * width),
            nn.Upsample(scale_factor=2),
            *_convolved(2 * width, 2 * width),
            nn.Upsample(scale_factor=2),
            *_convolved(2 * width, width),
            nn.Conv2d(width, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )
        self.register_buffer("spread", torch.ones(_DEPTH, side // 8, side // 8))  # sd of each number of the codes


def _convolved(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride, 1), nn.GroupNorm(8, after), nn.SiLU()]


def refuse(known: Data) -> None:
    """InputError where there are too few pictures."""
    training.refuse_few(known, "an autoencoder")


class Fitting:
    """See `training.Fitting`. Every tenth picture is held out."""

    steps, fast_steps = 8000, 2000

    def __init__(self, known: Data, seed: int, device: Any, fast: bool) -> None:
        torch.manual_seed(seed)
        self.architecture: dict[str, Json] = {"width": 32 if fast else 64, "side": known.side}
        self.net = Autoencoder(**self.architecture).to(device)
        self.parts: Mapping[str, nn.Module] = {"net": self.net}
        self.optimizers = [torch.optim.AdamW(self.net.parameters(), _RATE, weight_decay=1e-4)]
        self.pictures, self.held = training.divided(known, 1, 256)
        self.shown, self.device = known, device

    def step(self, number: int, steps: int, random: Any) -> float:
        chosen = torch.randint(len(self.pictures), (_BATCH,), generator=random)
        x = unit(self.pictures[chosen])
        mirrored = torch.rand(_BATCH, generator=random) < 0.5
        x[mirrored] = x[mirrored].flip(-1)
        noise = torch.randn(_BATCH, *self.net.spread.shape, generator=random) * _NOISE
        x, noise = x.to(self.device), noise.to(self.device)
        code = self.net.encoder(x)
        found = self.net.decoder(code + noise)
        loss = _distance(found, x) + _PULL * code.square().mean()
        for group in self.optimizers[0].param_groups:
            group["lr"] = _RATE * cycle(number / steps)
        self.optimizers[0].zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizers[0].step()
        return float(loss.detach())

    def score(self) -> float:
        """Mean squared error of pictures in 0..1."""
        with torch.no_grad():
            x = unit(self.held).to(self.device)
            return float(mse_loss(self.net.decoder(self.net.encoder(x)), x)) / 4

    def finished(self) -> dict[str, Any]:
        """The weights, with the spread of the codes of all pictures."""
        with torch.no_grad():
            codes = [self.net.encoder(unit(part).to(self.device)) for part in self.pictures.split(256)]
            self.net.spread.copy_(torch.cat(codes).std(0).clamp_min(1e-6) if len(self.pictures) > 1 else 1.0)
        return dict(self.net.state_dict())

    def gates(self) -> dict[str, Json]:
        return {"held_out_mse": round(self.score(), 6)}

    def rows(self) -> list[Row]:
        """What a person should look at: pictures, as they are decoded, and moved away from and towards a near one."""
        from augx.learn.feature_space import changed, moved

        known, codec = self.shown, Codec(self.net, int(self.architecture["side"]))
        codes = [codec.code(one) for one in known.pixels[:512]]
        flat = np.stack(codes).reshape(len(codes), -1)
        rows = []
        for number in np.linspace(0, len(codes) - 1, min(_SHOWN, len(codes))).astype(int):
            here, name = known.pixels[number], known.classes[known.labels[number]] if known.labels[number] >= 0 else ""
            alike = np.flatnonzero(known.labels[: len(codes)] == known.labels[number])
            near = alike[np.argsort(np.square(flat[alike] - flat[number]).sum(1))]
            other = int(near[min(1, len(near) - 1)])
            tiles = [Tile("source", here), Tile("decoded", _levels(codec.decoded(codes[number])))]
            tiles.append(Tile("a near one", known.pixels[other]))
            for mode in ("extrapolate", "interpolate"):
                code = moved(mode, codes[number], codes[other], 0.5)
                tiles.append(Tile(mode, changed(codec, here, codes[number], code)))
            rows.append(Row(f"{known.samples[number].id} {name}", tuple(map(enlarged, tiles))))
        return rows


def _distance(found: Any, x: Any) -> Any:
    """Squared, and of edges absolute, so that these do not blur."""
    across, down = (found - x).diff(dim=-1).abs().mean(), (found - x).diff(dim=-2).abs().mean()
    return mse_loss(found, x) + 0.1 * (across + down)


def _levels(picture: NDArray[np.float32]) -> Pixels:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


class Codec:
    """The network at work on one picture. Levels are 0 to 255, as numbers with a fraction."""

    def __init__(self, net: Any, side: int) -> None:
        self.net, self.side = net, side
        self.device = next(net.parameters()).device

    @property
    def spread(self) -> Code:
        found: Code = self.net.spread.cpu().numpy()
        return found

    def code(self, pixels: NDArray[Any]) -> Code:
        """Of a picture (H, W) or (H, W, 3), of 8 or 16 bits: (channels, side/8, side/8)."""
        x = torch.from_numpy(data.squared(pixels, self.side)).permute(2, 0, 1)[None]
        with alone():
            found: Code = self.net.encoder(unit(x).to(self.device))[0].cpu().numpy()
        return found

    def decoded(self, code: Code) -> NDArray[np.float32]:
        """(side, side, 3), not cut off at the ends of the levels."""
        with alone():
            x = self.net.decoder(torch.from_numpy(code)[None].to(self.device))[0]
            found: NDArray[np.float32] = ((x.permute(1, 2, 0) + 1) * 127.5).cpu().numpy()
        return found


@lru_cache(maxsize=4)
def codec(place: Place) -> Codec:
    """Of a model file. ImageError where it cannot be used."""
    card, state = files.read(place, METHOD)
    width, side = files.sized(card, place, _MOST_WIDTH)
    with torch.device("meta"):
        net = Autoencoder(width, side)
    return Codec(files.filled(net, state, place), side)
