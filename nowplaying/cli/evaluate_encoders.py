"""``nowplaying evaluate probe`` and ``evaluate codes``: what pretrained encoders have learnt."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.measured import Cache, Corpus, Out, write_result
from nowplaying.cli.options import Jobs
from nowplaying.cli.output import note

__all__ = ["codes", "probe"]


def probe(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs of 'nowplaying pretrain'.")],
    cache_dir: Cache,
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="Folder with music, noise and speech, and labels of them.")
    ] = None,
    public: Annotated[
        list[str] | None, typer.Option("--public", help="A public collection, as NAME=FOLDER.", show_default=False)
    ] = None,
    scores: Annotated[Path | None, typer.Option("--scores", help="Folder of MIDI files, for tasks of them.")] = None,
    soundfonts: Annotated[
        list[Path] | None,
        typer.Option(
            "--soundfont", help="To render them; the last of several is for what is asked.", show_default=False
        ),
    ] = None,
    tasks: Annotated[
        list[str] | None, typer.Option("--task", help="Only this task; else all that there is data for.")
    ] = None,
    label_shares: Annotated[
        str, typer.Option("--label-shares", help="Of the training labels that are known, with commas between.")
    ] = "0.01,0.1,1",
    n_seeds: Annotated[int, typer.Option("--seeds", min=1, help="Draws of the known labels.")] = 3,
    most_windows: Annotated[int, typer.Option("--windows", min=1, help="Of one sound, at most.")] = 8,
    fine_tune_steps: Annotated[
        int,
        typer.Option("--fine-tune", min=0, help="Also let the encoders go on learning, so many steps: 200 or more."),
    ] = 0,
    jobs: Jobs = 1,
    out: Out = None,
) -> None:
    """Accuracy of a linear classifier over pretrained encoders on labelled tasks, with intervals."""
    from nowplaying.cli.train import require_tensorflow
    from nowplaying_core.errors import ConfigError
    from pretraining.tasks.registry import open_tasks
    from pretraining.tasks.scores import ScoreTasks

    rendered = None if scores is None else ScoreTasks(scores, soundfonts or [], cache_dir, jobs=jobs)
    chosen = open_tasks(corpus=corpus, public=public or [], names=tasks or [], report=note, scores=rendered)
    try:
        shares = tuple(float(share) for share in label_shares.split(","))
    except ValueError as error:
        message = f"--label-shares: expected numbers with commas between, found {label_shares!r}"
        raise ConfigError(message) from error
    require_tensorflow()
    from pretraining.probe.report import to_markdown
    from pretraining.probe.run import ProbeSettings
    from pretraining.probe.run import probe as measure

    settings = ProbeSettings(
        label_shares=shares, n_seeds=n_seeds, most_windows=most_windows, fine_tune_steps=fine_tune_steps
    )
    result = measure(runs, chosen, settings, cache_dir=cache_dir, report=note)
    write_result("probe", result, to_markdown(result), out)


def codes(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs of a method with codes.")],
    corpus: Corpus,
    cache_dir: Cache,
    out: Out = None,
) -> None:
    """Perplexity of the next code on music that was not heard, beside unigram and bigram models, with intervals."""
    from nowplaying.cli.train import require_tensorflow

    require_tensorflow()
    from pretraining.codes.perplexity import evaluate_perplexity, perplexity_markdown

    result = evaluate_perplexity(runs, corpus, cache_dir=cache_dir, report=note)
    write_result("codes", result, perplexity_markdown(result), out)
