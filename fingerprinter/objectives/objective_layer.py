"""An objective as a layer: adds its loss to the model and keeps earlier references as negatives."""

from typing import Any

import keras
from keras import layers, ops

from fingerprinter.objectives.config import ObjectiveConfig
from fingerprinter.objectives.online_codebook import OnlineCodebook
from fingerprinter.objectives.registry import objective
from fingerprinter.objectives.regularizers import distillation

__all__ = ["ObjectiveLayer"]

_NO_SONG = -1
_NOISE_SEED = 1
_NOISE_STATE = "noise_state"


class ObjectiveLayer(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Minimise an objective of a batch's embeddings.

    With ``n_memory``, references of other songs from earlier steps are negatives too: few windows of a batch are hard
    to tell apart, many of a database are. The encoder changes slowly enough for old embeddings to stay valid (Wang et
    al. 2020, "Cross-batch memory for embedding learning").

    Parameters
    ----------
    config : ObjectiveConfig
    """

    def __init__(self, config: ObjectiveConfig, **options: Any) -> None:
        super().__init__(**options)
        self._config = config
        self._objective = objective(config)
        self._noise = keras.random.SeedGenerator(_NOISE_SEED)
        self._codebook = OnlineCodebook(config.n_subspaces) if config.coded_share else None

    def build(
        self,
        embeddings_shape: tuple[int | None, ...],
        songs_shape: tuple[int | None, ...],
        taught_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        """Create the memory, empty, and the codebook."""
        del songs_shape, taught_shape
        if self._codebook is not None:
            self._codebook.build(embeddings_shape)
        n = self._config.n_memory
        if n:
            self.remembered = self.add_weight(
                shape=(n, embeddings_shape[-1]), initializer="zeros", trainable=False, name="remembered"
            )
            self.songs = self.add_weight(
                shape=(n,), initializer=keras.initializers.Constant(_NO_SONG), trainable=False, name="songs"
            )

    def call(self, embeddings: Any, songs: Any, taught: Any = None, training: bool | None = None) -> Any:  # noqa: FBT001  # Keras's form
        """Add the loss of a batch and remember its references.

        Parameters
        ----------
        embeddings : tensor of float32, shape (2 n_pairs, dim)
        songs : tensor of float32, shape (2 n_pairs, 1)
            Number of the recording that each row comes from.
        taught : tensor of float32, shape (2 n_pairs, dim), optional
            A teacher's embeddings.
        training : bool, optional

        Returns
        -------
        tensor of float32, shape (2 n_pairs, dim)
            The embeddings.
        """
        if taught is not None:
            self.add_loss(self._config.distillation_weight * distillation(embeddings, taught))
        compared = embeddings
        if training and self._config.code_noise:
            compared = self._with_code_noise(compared)
        if training and self._codebook is not None:
            compared = self._with_codes(compared, self._codebook)
        own = None if self._config.same_song_negatives else songs
        if not self._config.n_memory:
            self.add_loss(self._objective(compared, songs=own))
            return embeddings
        is_other = (self.songs[None] != songs) & (self.songs[None] != _NO_SONG)
        self.add_loss(self._objective(compared, self.remembered, is_other, songs=own))
        if training:
            n_pairs = ops.shape(embeddings)[0] // 2
            newest = ops.stop_gradient(embeddings[:n_pairs])
            rows = ops.concatenate([newest, self.remembered], axis=0)[: self._config.n_memory]
            numbers = ops.concatenate([songs[:n_pairs, 0], self.songs], axis=0)[: self._config.n_memory]
            self.remembered.assign(rows)
            self.songs.assign(numbers)
        return embeddings

    def save_own_variables(self, store: Any) -> None:
        """Keep the state of the noise's generator too, which Keras does not; a resumed run draws the same noise."""
        super().save_own_variables(store)
        store[_NOISE_STATE] = keras.ops.convert_to_numpy(self._noise.state)

    def load_own_variables(self, store: Any) -> None:
        """Restore what :meth:`save_own_variables` kept; checkpoints from before have no generator's state."""
        super().load_own_variables({name: store[name] for name in store.keys() if name != _NOISE_STATE})  # noqa: SIM118
        if _NOISE_STATE in store.keys():  # noqa: SIM118  # Keras's stores are no mappings
            self._noise.state.assign(store[_NOISE_STATE][...])

    def _with_codes(self, embeddings: Any, codebook: OnlineCodebook) -> Any:
        """Put what their codes decode to in the place of the first references; gradients pass as if nothing was.

        The pairs of a batch are in random order, so no further draw is needed.
        """
        n_pairs = ops.shape(embeddings)[0] // 2
        references = embeddings[:n_pairs]
        moved = ops.stop_gradient(codebook(references, training=True) - references)
        is_coded = ops.cast(ops.arange(n_pairs), moved.dtype) < self._config.coded_share * ops.cast(
            n_pairs, moved.dtype
        )
        coded = references + moved * ops.cast(is_coded, moved.dtype)[:, None]
        return ops.concatenate([coded, embeddings[n_pairs:]], axis=0)

    def _with_code_noise(self, embeddings: Any) -> Any:
        """Move half of the references as far as coding does, and scale them to unit length again."""
        n_rows, dim = ops.shape(embeddings)[0], int(embeddings.shape[1])
        n_pairs = n_rows // 2
        noise = keras.random.normal((n_pairs, dim), seed=self._noise) * (self._config.code_noise / dim) ** 0.5
        chosen = ops.cast(keras.random.uniform((n_pairs, 1), seed=self._noise) < 0.5, noise.dtype)
        moved = embeddings[:n_pairs] + noise * chosen
        moved = moved * ops.rsqrt(ops.sum(ops.square(moved), axis=1, keepdims=True))
        return ops.concatenate([moved, embeddings[n_pairs:]], axis=0)
