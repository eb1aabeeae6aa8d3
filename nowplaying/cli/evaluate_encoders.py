"""``nowplaying evaluate probe`` and ``evaluate codes``: what pretrained encoders have learned."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.measured import Cache, Corpus, Out, write_result
from nowplaying.cli.options import Jobs, Json, refuse_unused

__all__ = ["codes", "probe"]


def probe(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs of 'nowplaying pretrain'.")],
    cache_dir: Cache,
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="Folder with music, noise and speech, and their labels.")
    ] = None,
    public: Annotated[
        list[str] | None,
        typer.Option(
            "--public",
            metavar="NAME=FOLDER",
            help="A public collection: esc50, gtzan, librispeech, musan, nsynth or speech_commands.",
            show_default=False,
        ),
    ] = None,
    midi: Annotated[
        Path | None, typer.Option("--midi", help="Folder of MIDI files, for the tasks rendered from MIDI.")
    ] = None,
    soundfonts: Annotated[
        list[Path] | None,
        typer.Option(
            "--soundfont",
            help="SoundFont for rendering the MIDI files. If several are given, the last is held out for test queries.",
            show_default=False,
        ),
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            metavar="NAME",
            help="Only this task, else all with data: music_speech_noise, sound_events, digits, speakers, wake_words, "
            "with --midi instrument_family, key and tempo, and the names of --public.",
        ),
    ] = None,
    label_shares: Annotated[
        str, typer.Option("--label-shares", help="Fractions of the training labels to use, comma-separated.")
    ] = "0.01,0.1,1",
    n_seeds: Annotated[int, typer.Option("--seeds", min=1, help="Random draws of those labels.")] = 3,
    most_windows: Annotated[int, typer.Option("--windows", min=1, help="Greatest number of windows of one sound.")] = 8,
    fine_tune_steps: Annotated[
        int,
        typer.Option(
            "--fine-tune", min=0, help="Also fine-tune the encoders for so many steps; 0: do not. Take at least 200."
        ),
    ] = 0,
    jobs: Jobs = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Accuracy of a linear classifier on the embeddings of pretrained encoders, by labelled task, with intervals."""
    if midi is None:
        refuse_unused(context, "it goes with --midi", "soundfonts")
    from nowplaying.cli.train import require_tensorflow
    from nowplaying_core.errors import ConfigError
    from pretraining.tasks.midi import MidiTasks
    from pretraining.tasks.registry import open_tasks

    rendered = None if midi is None else MidiTasks(midi, soundfonts or [], cache_dir, jobs=jobs)
    chosen = open_tasks(corpus=corpus, public=public or [], names=tasks or [], rendered=rendered)
    try:
        shares = tuple(float(share) for share in label_shares.split(","))
    except ValueError as error:
        message = f"--label-shares: expected comma-separated numbers, found {label_shares!r}"
        raise ConfigError(message) from error
    require_tensorflow()
    from pretraining.probe.report import to_markdown
    from pretraining.probe.run import ProbeSettings
    from pretraining.probe.run import probe as measure

    settings = ProbeSettings(
        label_shares=shares, n_seeds=n_seeds, most_windows=most_windows, fine_tune_steps=fine_tune_steps
    )
    result = measure(runs, chosen, settings, cache_dir=cache_dir)
    write_result("probe", result, to_markdown(result), out, as_json=as_json)


def codes(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs of a method with codes.")],
    corpus: Corpus,
    cache_dir: Cache,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Perplexity of the next code on unseen music, beside unigram and bigram models, with intervals."""
    from nowplaying.cli.train import require_tensorflow

    require_tensorflow()
    from pretraining.generation.perplexity import evaluate_perplexity, perplexity_markdown

    result = evaluate_perplexity(runs, corpus, cache_dir=cache_dir)
    write_result("codes", result, perplexity_markdown(result), out, as_json=as_json)
