"""Random numbers as a function of where they are used: (seed, sample, copy, step), never of when or by whom.

The parts are hashed, not added, so that neighbours share nothing. One `Rng` serves a worker for life: its state is
set in place for each step, because building generators costs more than most draws.
"""

from __future__ import annotations

import hashlib
import random

import numpy as np


class Rng:
    """A NumPy generator and a Python one, both at the same place. Whoever draws, draws from the one at hand."""

    def __init__(self) -> None:
        self._bits = np.random.Philox(0)
        self._generator = np.random.Generator(self._bits)
        self._key = b""  # of a place that `_bits` is still to be moved to: most steps draw from the other one only
        self.python = random.Random(0)
        self._seed = super(random.Random, self.python).seed  # what its own comes to, for a number

    def at(self, seed: int, sample: str, copy: int, step: str) -> Rng:
        """Moves both generators to the beginning of their stream for this place, and returns self."""
        text = f"{seed}\0{copy}\0{step}\0{sample}"
        digest = hashlib.blake2b(text.encode(), digest_size=32).digest()
        self._key = digest[:16]
        self._seed(int.from_bytes(digest[16:], "little"))
        self.python.gauss_next = None  # type: ignore[attr-defined]
        return self

    @property
    def numpy(self) -> np.random.Generator:
        if self._key:
            self._bits.state = {
                "bit_generator": "Philox",
                "state": {
                    "counter": np.zeros(4, np.uint64),
                    "key": np.frombuffer(self._key, dtype="<u8").astype(np.uint64),
                },
                "buffer": np.zeros(4, np.uint64),
                "buffer_pos": 4,
                "has_uint32": 0,
                "uinteger": 0,
            }
            self._key = b""
        return self._generator
