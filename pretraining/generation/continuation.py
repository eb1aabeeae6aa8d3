"""What comes after the codes of a prompt: one code at a time, drawn from what the transformer expects."""

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError
from pretraining.generation.code_run import CodeRun

__all__ = ["continued", "draw_code"]


def continued(
    run: CodeRun,
    prompt: NDArray[np.int32],
    n_codes: int,
    *,
    rng: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> NDArray[np.int32]:
    """Return a prompt's codes followed by drawn ones.

    Parameters
    ----------
    run : CodeRun
    prompt : ndarray of int32, shape (n,), n >= 1
        Of which the last ``n_positions`` count.
    n_codes : int >= 1
    rng : numpy.random.Generator
    temperature, top_k
        As for :func:`draw_code`.

    Returns
    -------
    ndarray of int32, shape (n + n_codes,)
    """
    codes = list(prompt)
    for _ in range(n_codes):
        seen = codes[-run.n_positions :]
        # Of one length at all times, so that it is compiled once; nothing looks at what comes later.
        padded = np.zeros((1, run.n_positions), np.int32)
        padded[0, : len(seen)] = seen
        logits = run.expecting.predict_on_batch(padded)[0, len(seen) - 1].astype(np.float64)
        codes.append(draw_code(logits, rng, temperature=temperature, top_k=top_k))
    return np.array(codes, np.int32)


def draw_code(
    logits: NDArray[np.float64], rng: np.random.Generator, *, temperature: float = 1.0, top_k: int | None = None
) -> int:
    """Draw one code.

    Parameters
    ----------
    logits : ndarray of float64, shape (n_codes,)
    rng : numpy.random.Generator
    temperature : float >= 0
        Divides the logits; 0 takes the likeliest.
    top_k : int >= 1, optional
        Only so many of the likeliest.

    Raises
    ------
    ConfigError
        When temperature or top_k is out of its range.
    """
    if temperature < 0 or (top_k is not None and top_k < 1):
        message = f"expected a temperature of 0 or more and top-k of 1 or more, found {temperature:g} and {top_k}"
        raise ConfigError(message)
    kept = np.argsort(-logits, kind="stable")[:top_k]
    if temperature == 0:
        return int(kept[0])
    weights = np.exp((logits[kept] - logits[kept[0]]) / temperature)
    return int(rng.choice(kept, p=weights / weights.sum()))
