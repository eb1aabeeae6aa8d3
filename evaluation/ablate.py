"""Train and evaluate variants of the fingerprinter with equal budgets: python evaluation/ablate.py --help.

Each variant of ``ablations.toml`` is trained, exported in int8 and as float, given a codebook, and asked the same
queries of 1 to 8 s. What is finished is kept, so a run that was stopped goes on, and variants can be added.
"""

import argparse
import json
import multiprocessing
import tomllib
from pathlib import Path
from typing import Any, Final

from nowplaying.artifacts import write_json

LENGTHS_S: Final = (1.0, 2.0, 3.0, 5.0, 8.0)
N_QUERIES: Final = 600


def main() -> None:
    """Run what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=Path, default=Path(__file__).with_name("ablations.toml"))
    parser.add_argument("--only", action="append", help="name of a variant; all by default")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--renderings", type=Path)
    parser.add_argument("--further", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--table", type=Path, help="Markdown file to write, such as docs/ablations.md")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    table = tomllib.loads(options.variants.read_text(encoding="utf-8"))
    for variant in table["variant"]:
        result = options.out / folder_name(variant["name"]) / "result.json"
        if not result.is_file() and (not options.only or variant["name"] in options.only):
            # A process each: TensorFlow gives its memory back only when it ends.
            settings = merged(table["base"], variant.get("settings", {}))
            child = multiprocessing.get_context("spawn").Process(target=run, args=(settings, result, options))
            child.start()
            child.join()
            if child.exitcode:
                raise SystemExit(child.exitcode)
    results = {
        variant["name"]: json.loads(path.read_text(encoding="utf-8"))
        for variant in table["variant"]
        if (path := options.out / folder_name(variant["name"]) / "result.json").is_file()
    }
    text = to_markdown(table["base"], results)
    print(text)
    if options.table:
        options.table.write_text(text, encoding="utf-8")


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return settings with changes, table by table."""
    result = dict(base)
    for name, value in changes.items():
        result[name] = merged(result.get(name, {}), value) if isinstance(value, dict) else value
    return result


def run(settings: dict[str, Any], result: Path, options: argparse.Namespace) -> None:
    """Train one variant, ship it twice, evaluate it and write what came out."""
    from export.finish import finish_fingerprinter
    from fingerprinter.progress import checkpoint_state
    from fingerprinter.sources import TrainingSources
    from fingerprinter.train import train
    from fingerprinter.training_config import TrainingConfig
    from nowplaying.manifest import ModelFolder
    from ondevice_db.accept import DEFAULT_ACCEPTANCE
    from ondevice_db.evaluation.conditions import Condition
    from ondevice_db.evaluation.retrieval import evaluate_retrieval

    config = TrainingConfig.from_dict(settings)
    sources = TrainingSources(
        corpus=options.corpus, cache_dir=options.cache_dir, renderings=options.renderings, further=options.further
    )
    folder = result.parent
    if checkpoint_state(folder)["step"] < config.n_steps:
        train(config, sources, folder)
    models = {
        precision: finish_fingerprinter(
            folder,
            folder / precision,
            sources,
            name=f"{folder.name}-{precision}",
            precision=precision,
            jobs=options.jobs,
        )
        for precision in ("int8", "float32")
    }
    conditions = [
        condition
        for length_s in LENGTHS_S
        for condition in (
            Condition(length_s=length_s, snr_db=5.0),
            Condition(length_s=length_s, snr_db=0.0, room="simulated"),
        )
    ]
    evaluation = evaluate_retrieval(
        models["int8"],
        options.corpus,
        options.cache_dir,
        conditions=conditions,
        n_queries=N_QUERIES,
        float_model=models["float32"],
        acceptance=DEFAULT_ACCEPTANCE,
        pcm_cache=options.cache_dir,
        jobs=options.jobs,
    )
    manifest = ModelFolder.open(models["int8"], role="fingerprinter").manifest
    bytes_per_s = manifest["codebook"]["n_subspaces"] / manifest["reference_hop_s"]
    kept = {name: evaluation[name] for name in ("known", "paired", "n_queries", "n_tracks")}
    write_json(result, {"bytes_per_s": bytes_per_s, "n_parameters": manifest["encoder"]["n_parameters"], **kept})


def folder_name(name: str) -> str:
    """Return a variant's folder."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def to_markdown(base: dict[str, Any], results: dict[str, Any]) -> str:
    """Return the table; every figure is taken from the results."""
    columns = [(room, length) for room in ("none", "simulated") for length in LENGTHS_S]
    headers = [f"{'5 dB' if room == 'none' else '0 dB, room'}, {length:g} s" for room, length in columns]
    lines = [
        "# Ablations of the fingerprinter",
        "",
        f"Rank-1 in %, through codes, Annoy and mu-law, int8; each variant trained for {base['n_steps']} steps of "
        f"{base['pairs_per_step']} pairs, which is far from enough and the same for all; {N_QUERIES} dev queries a "
        "cell, so that two points between variants are noise. int8 is the loss to float at 2 s and 0 dB in rooms (8 s "
        "where the window is longer), in points. Made by `python evaluation/ablate.py`.",
        "",
        "| variant | parameters | bytes/s | " + " | ".join(headers) + " | int8 |",
        "|---" * (len(headers) + 4) + "|",
    ]
    for name, result in results.items():
        rates = {(row["room"], row["length_s"]): f"{100 * row['rank1']['rate']:.1f}" for row in result["known"]}
        paired = [row for row in result["paired"]["int8 against float encoder"] if "room" in row["condition"]]
        cells = [name, f"{result['n_parameters']:,}", f"{result['bytes_per_s']:g}"]
        cells += [rates.get(column, "") for column in columns]
        cells.append(f"{100 * paired[-1]['difference']:.1f}" if paired else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
