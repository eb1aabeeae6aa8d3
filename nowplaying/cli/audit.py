"""``nowplaying audit``: what fingerprints reveal."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.app import App
from nowplaying.cli.measured import write_result
from nowplaying.cli.options import (
    ON_CORPUS,
    DecodedCache,
    FingerprinterModel,
    Json,
    RunDir,
    SoundCorpus,
    writable_folder,
)
from nowplaying.cli.train import require_tensorflow
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.errors import MissingPathError

__all__ = ["app"]

app = App(help="Measure what fingerprints reveal of sound and speech (needs the train extra).", no_args_is_help=True)


@app.callback()
def _audits() -> None:
    """Keep ``privacy`` a word of its own, though it is the only audit."""


def privacy(
    corpus: SoundCorpus,
    cache_dir: DecodedCache,
    run_dir: RunDir,
    config: Annotated[Path | None, typer.Option("--config", help="Settings in TOML; else the defaults.")] = None,
    model: FingerprinterModel = SHIPPED_FINGERPRINTER,
    examples: Annotated[
        list[Path] | None, typer.Option("--example", help="Recording to rebuild audibly.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for JSON, Markdown and examples.", callback=writable_folder)
    ] = None,
    as_json: Json = False,
) -> None:
    """Train attacks that rebuild sound from fingerprints and their codes, and measure them; a stopped run resumes."""
    if examples and out is None:
        message = "expected --out as well, the folder for what is rebuilt"
        raise typer.BadParameter(message, param_hint="--example")
    for example in examples or []:
        if not example.is_file():  # said before hours of learning
            message = f"{example}: expected a recording, found none; check the path"
            raise MissingPathError(message)
    names = [example.stem for example in examples or []]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        message = f"expected recordings of different names, which what is rebuilt is called by, found {twice[0]} twice"
        raise typer.BadParameter(message, param_hint="--example")
    from fingerprinter.fingerprint import Fingerprinter
    from ondevice_db.index.codebook_files import load_codebook
    from pretraining.audit.config import AuditConfig
    from pretraining.audit.report import to_markdown

    settings = AuditConfig() if config is None else AuditConfig.read(config)
    require_tensorflow()
    from nowplaying_core.audio.sources import TrainingSources
    from pretraining.audit.examples import write_examples
    from pretraining.audit.run import privacy_audit

    fingerprinter = Fingerprinter.from_model(model)
    codebook = load_codebook(fingerprinter.folder.path)
    forms = {
        "float fingerprint": lambda vectors: vectors,
        f"{codebook.n_subspaces}-byte code": lambda vectors: codebook.decode(*codebook.quantize(vectors)),
    }
    sources = TrainingSources(corpus=corpus, cache_dir=cache_dir)
    audit = privacy_audit(settings, fingerprinter, forms, sources, run_dir)
    write_result("privacy", audit.result, to_markdown(audit.result), out, as_json=as_json)
    if out is not None and examples:
        write_examples(
            examples,
            fingerprinter,
            forms,
            audit.attacks,
            out / "examples",
            n_steps=settings.sampling_steps,
        )


app.add(privacy, example=f"nowplaying audit privacy --run-dir runs/privacy {ON_CORPUS}", resumes=True)
