"""A small causal transformer over codes: its states, and what it expects next."""

from typing import Any

from keras import layers, ops

from pretraining.config.codes import CodeConfig

__all__ = ["CodeTransformer"]


class CodeTransformer(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Codes, int (n, n_slices), to states, float32 (n, n_slices, dim); a state knows its own code and those before it.

    Normalisation before each part, as in GPT-2; what is expected next is read with the very vectors that codes enter
    with (Press and Wolf 2017, arXiv 1608.05859).

    Parameters
    ----------
    config : CodeConfig
    n_positions : int
        Most codes that it takes.
    """

    def __init__(self, config: CodeConfig, n_positions: int, **options: Any) -> None:
        super().__init__(**options)
        self.config, self.n_positions = config, n_positions
        self.codes = layers.Embedding(config.n_codes, config.dim, name="codes")
        self.places = layers.Embedding(n_positions, config.dim, name="places")
        self.blocks = [_Block(config, name=f"block{number}") for number in range(1, config.n_layers + 1)]
        self.last_norm = layers.LayerNormalization(name="last_norm")

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Create the weights of all parts."""
        self.codes.build(shape)
        self.places.build((None,))
        for part in (*self.blocks, self.last_norm):
            part.build((*shape, self.config.dim))

    def call(self, codes: Any) -> Any:
        """Return the states after the last block."""
        states = self.codes(codes) + self.places(ops.arange(codes.shape[1]))
        for block in self.blocks:
            states = block(states)
        return self.last_norm(states)

    def logits(self, states: Any) -> Any:
        """Return what states expect of the next code, (..., n_codes), before the softmax."""
        return ops.matmul(states, ops.transpose(ops.convert_to_tensor(self.codes.embeddings)))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, n_slices, dim)."""
        return (*shape, self.config.dim)


class _Block(layers.Layer):  # type: ignore[misc]
    """Attention to what came before, then two dense layers, each added to what it is given."""

    def __init__(self, config: CodeConfig, **options: Any) -> None:
        super().__init__(**options)
        self.attention_norm = layers.LayerNormalization(name="attention_norm")
        self.attention = layers.MultiHeadAttention(config.n_heads, config.dim // config.n_heads, name="attention")
        self.dense_norm = layers.LayerNormalization(name="dense_norm")
        self.widen = layers.Dense(4 * config.dim, activation="gelu", name="widen")
        self.narrow = layers.Dense(config.dim, name="narrow")

    def build(self, shape: tuple[int | None, ...]) -> None:
        for part in (self.attention_norm, self.dense_norm, self.widen):
            part.build(shape)
        self.attention.build(shape, shape)
        self.narrow.build((*shape[:-1], 4 * shape[-1]))  # type: ignore[operator]

    def call(self, states: Any) -> Any:
        normed = self.attention_norm(states)
        states = states + self.attention(normed, normed, use_causal_mask=True)
        return states + self.narrow(self.widen(self.dense_norm(states)))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape
