"""Methods by name."""

from typing import Final

from pretraining.methods.audio2vec import Audio2VecCbow, Audio2VecSkipgram
from pretraining.methods.autoencoder import Autoencoder
from pretraining.methods.binary_codes import BinaryCodes
from pretraining.methods.cola import Cola
from pretraining.methods.diffusion_autoencoder import DiffusionAutoencoder
from pretraining.methods.kmeans_codes import KMeansCodes
from pretraining.methods.nt_xent import NtXent
from pretraining.methods.pretext import Pretext
from pretraining.methods.supervised import Supervised
from pretraining.methods.temporal_gap import TemporalGap
from pretraining.methods.triplet import Triplet
from pretraining.methods.vq_codes import VqCodes

__all__ = ["METHODS"]

# All of pretraining.config.run.METHOD_NAMES but "random", which trains nothing.
METHODS: Final[dict[str, type[Pretext]]] = {
    "audio2vec_cbow": Audio2VecCbow,
    "audio2vec_skipgram": Audio2VecSkipgram,
    "temporal_gap": TemporalGap,
    "autoencoder": Autoencoder,
    "diffusion_autoencoder": DiffusionAutoencoder,
    "triplet": Triplet,
    "nt_xent": NtXent,
    "cola": Cola,
    "supervised": Supervised,
    "kmeans_codes": KMeansCodes,
    "vq_codes": VqCodes,
    "binary_codes": BinaryCodes,
}
