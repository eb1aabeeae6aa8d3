"""``nowplaying generate``: let a song go on as a run with codes expects it to."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.options import Json, Seed, writable_file
from nowplaying.cli.output import wrote
from nowplaying.cli.sounds import write_wav

__all__ = ["generate"]


def generate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run of a method with codes.", show_default=False)],
    prompt: Annotated[str, typer.Argument(help="Audio file, or - for raw 16 kHz s16le PCM.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="WAV file to write.", show_default=False, callback=writable_file)],
    at_s: Annotated[float, typer.Option("--at", min=0.0, help="Seconds of the file before the prompt.")] = 0.0,
    prompt_s: Annotated[float, typer.Option("--prompt", min=0.04, help="Length of the prompt in seconds.")] = 5.0,
    duration_s: Annotated[
        float, typer.Option("--duration", min=0.04, max=600.0, help="Seconds that follow it.")
    ] = 10.0,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0.0, help="Less keeps to what is likely; 0 takes the likeliest.")
    ] = 0.9,
    top_k: Annotated[int, typer.Option("--top-k", min=1, help="Draw among so many of the likeliest.")] = 64,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Continue a song from its codes (needs the train extra); the file holds the prompt, through its codes, as well."""
    from nowplaying.cli.train import require_tensorflow
    from nowplaying_core.audio import SAMPLE_RATE_HZ, load

    start, n_prompt = round(at_s * SAMPLE_RATE_HZ), round(prompt_s * SAMPLE_RATE_HZ)
    samples = load(prompt)[start : start + n_prompt]
    require_tensorflow()
    from pretraining.generation.generate import generate as run_on

    sound = run_on(run, samples, duration_s=duration_s, seed=seed, temperature=temperature, top_k=top_k)
    write_wav(out, sound)
    length_s = len(sound) / SAMPLE_RATE_HZ
    text = f"{out}: {length_s:.1f} s, of which the last {duration_s:g} s were drawn"
    wrote(out, text, as_json=as_json, duration_s=length_s, drawn_s=duration_s)
