"""Binary codes: the signs of a frozen fingerprint along learned directions, for a database of buckets.

Singh et al. 2022 name learned codes as the step after their embeddings; FlowHash, a later submission, has balanced bits
by a normalising flow and a term that makes clean and noisy copies share them. Here the bits are linear and straight
through the sign (Bengio et al. 2013, arXiv 1308.3432): a reconstruction of the idea, not of its settings.
"""

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from fingerprinter.objectives.nt_xent import nt_xent
from nowplaying_core.audio.sources import TrainingSources
from pretraining.bits.pairs import FingerprintPairs, fingerprint_pairs
from pretraining.codes.quantizer import unit
from pretraining.config.run import PretrainingConfig
from pretraining.methods.pretext import Pretext

__all__ = ["STEEPNESS", "BinaryCodes"]

STEEPNESS = 10.0  # a unit vector's coordinates are of about 0.1


class BinaryCodes(Pretext):
    """NT-Xent between degraded fingerprints as they are and clean ones as their bits hold them.

    The encoder of this method takes fingerprints instead of sound. Reads ``temperature`` and ``[bits]``.
    """

    @classmethod
    def sampler(cls, config: PretrainingConfig, sources: TrainingSources) -> FingerprintPairs:
        """Return pairs of clean and degraded fingerprints."""
        return fingerprint_pairs(config, sources)

    def draw(self, pairs: FingerprintPairs, rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
        """Draw pairs."""
        return (pairs.draw(self.config.clips_per_step, rng),)

    def objective(self, *inputs: Any) -> Any:
        """Return NT-Xent of all bits and of each table's, how much copies differ, and how unevenly bits are set."""
        clean, degraded = inputs[0][:, 0], inputs[0][:, 1]
        settings, bits = self.config.bits, self.encoder.get_layer("bits")
        # The sign's gradient is that of a hyperbolic tangent: a vector far from a border moves it no more.
        soft, degraded_bits = (ops.tanh(STEEPNESS * bits(vectors)) for vectors in (clean, degraded))
        signs = soft + ops.stop_gradient(ops.where(soft > 0, 1.0, -1.0) - soft)
        total = self._found(bits.decode(signs), degraded)
        for first in range(0, settings.n_tables * settings.table_bits, settings.table_bits):
            table = slice(first, first + settings.table_bits)
            total += (
                settings.finding / settings.n_tables * self._found(unit(signs[:, table]), unit(degraded_bits[:, table]))
            )
        apart = ops.mean(ops.softplus(-STEEPNESS * bits(degraded) * ops.stop_gradient(signs)))
        uneven = ops.mean(ops.square(ops.mean(soft, axis=0)))
        return total + settings.agreement * apart + settings.balance * uneven

    def _found(self, stored: Any, queries: Any) -> Any:
        return nt_xent(ops.concatenate([stored, queries], axis=0), self.config.objective.temperature)
