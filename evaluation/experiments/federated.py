"""Pretraining on clients against pretraining in one place: python -m evaluation.experiments.federated --help.

One method four times on the same sound: not at all ("random"), in one place, on clients, and on clients with clipping
and noise; as many clips are heard in each of the last three. What is finished is kept and what was stopped goes on.
"""

import argparse
import json
import logging
import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from pretraining.config.run import PretrainingConfig
from pretraining.federated.config import FederationConfig

CONFIGS: Final = Path(__file__).parents[2] / "configs" / "pretraining"
_log = logging.getLogger("federated")


def main() -> None:
    """Run what is missing, probe all, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=CONFIGS / "nt_xent.toml", help="settings of the method")
    parser.add_argument("--federation", type=Path, default=CONFIGS / "federation.toml")
    parser.add_argument("--rounds", type=int, help="instead of the federation's")
    parser.add_argument("--clipping-norm", type=float, default=1.0, help="of the runs with privacy")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.3, 1.0], help="multipliers; a run for each")
    parser.add_argument("--device", default="phone-2026", help="profile that energy is computed for")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--midi", type=Path, help="folder of MIDI files, for tasks of them")
    parser.add_argument("--soundfont", type=Path, action="append", default=[], help="the last is for what is asked")
    parser.add_argument("--task", action="append", default=[], help="only this task; all that there is data for")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and of federated.json")
    parser.add_argument("--table", type=Path, help="Markdown to write, such as docs/pretraining/federated-table.md")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = PretrainingConfig.read(options.config)
    federation = FederationConfig.read(options.federation)
    if options.rounds is not None:
        federation = replace(federation, n_rounds=options.rounds)
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir)
    jobs: list[tuple[Callable[..., None], Any]] = [
        (in_one_place, replace(config, method="random")),
        (in_one_place, central(config, federation)),
    ]
    private = [
        replace(federation, clipping_norm=options.clipping_norm, noise_multiplier=noise) for noise in options.noise
    ]
    jobs += [(on_clients, (config, one)) for one in (federation, *private)]
    names = ["random", "central", "federated", *(f"noise {noise:g}" for noise in options.noise)]
    folders = [options.out / name.replace(" ", "-") for name in names]
    # A process each: TensorFlow gives its memory back only when it ends.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        runs = [pool.submit(run, what, sources, folder) for (run, what), folder in zip(jobs, folders, strict=True)]
        for run in runs:
            run.result()
        result = pool.submit(ask, dict(zip(names, folders, strict=True)), options).result()
    write_json(options.out / "federated.json", result)
    text = to_markdown(result)
    print(text)
    if options.table:
        options.table.write_text(text, encoding="utf-8")


def central(config: PretrainingConfig, federation: FederationConfig) -> PretrainingConfig:
    """Return the settings of a run in one place that hears as many clips, in steps of as many."""
    n_steps = federation.n_rounds * federation.clients_per_round * federation.local_steps
    rate = federation.local_rate
    return replace(config, n_steps=n_steps, clips_per_step=federation.local_clips, learning_rate=rate)


def in_one_place(config: PretrainingConfig, sources: TrainingSources, run_dir: Path) -> None:
    """Pretrain as ever, unless that is done."""
    from pretraining.train import pretrain_once

    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {run_dir.name}: %(message)s")
    pretrain_once(config, sources, run_dir)


def on_clients(what: tuple[PretrainingConfig, FederationConfig], sources: TrainingSources, run_dir: Path) -> None:
    """Pretrain on clients; when that is done, nothing is left to do but to set the normalisation."""
    from pretraining.federated.run import pretrain_federated

    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {run_dir.name}: %(message)s")
    pretrain_federated(*what, sources, run_dir)


def ask(runs: Mapping[str, Path], options: argparse.Namespace) -> dict[str, Any]:
    """Probe all encoders, and add what each federated run sent, spent and revealed."""
    from export.macs import count_macs
    from export.tflite import to_float
    from pretraining.encoder import load_encoder
    from pretraining.federated.run import RECORD_NAME
    from pretraining.probe.run import ProbeSettings, probe
    from pretraining.tasks.midi import MidiTasks
    from pretraining.tasks.registry import open_tasks
    from simulator.energy.device import DeviceProfile
    from simulator.energy.training import round_mj
    from simulator.energy.work import front_end_ops

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    rendered = options.midi and MidiTasks(options.midi, options.soundfont, options.cache_dir, jobs=options.jobs)
    tasks = open_tasks(corpus=options.corpus, public=[], names=options.task, rendered=rendered)
    result = probe(
        list(runs.values()),
        tasks,
        ProbeSettings(label_shares=(0.1, 1.0)),
        cache_dir=options.cache_dir,
        names=list(runs),
    )
    config, encoder = load_encoder(runs["federated"])
    device = DeviceProfile.load(options.device)
    macs, result["federations"] = count_macs(to_float(encoder)), []
    for name, folder in runs.items():
        if not (folder / RECORD_NAME).is_file():
            continue
        record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        last, n_slices = record["rounds"][-1], record["slices_per_round"]
        n_bytes = (last["bytes_down"] + last["bytes_up"]) / last["n_clients"]
        work = {"forward_macs": n_slices * macs, "front_end_ops": n_slices * front_end_ops(config.front_end.to_dict())}
        energy = {radio: round_mj(device, radio, n_bytes=n_bytes, **work) for radio in device.radios}
        fixed = {key: record[key] for key in ("federation", "n_weights", "slices_per_round")}
        row = {"name": name, **fixed, "bytes_per_client_round": n_bytes, "energy_mj": energy}
        result["federations"].append({**row, "loss": last["loss"], "epsilon": last.get("epsilon")})
    return {**result, "method": config.method, "device": device.title}


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the tables; every figure is taken from the result."""
    from pretraining.probe.report import to_markdown as tables

    _, _, rest = tables(result).partition("\n")
    first = result["federations"][0]
    settings = first["federation"]
    lines = [
        "# Pretraining on clients",
        "",
        f"`{result['method']}` on {settings['n_clients']} clients whose sources are dealt by a Dirichlet distribution "
        f"of concentration {settings['concentration']:g}; {settings['n_rounds']} rounds of "
        f"{settings['clients_per_round']} clients, {settings['local_steps']} steps of {settings['local_clips']} clips "
        "on each; `central` hears as many clips in one place. Simulated; made by "
        "`python -m evaluation.experiments.federated`.",
        "",
        f"A client's round: {first['slices_per_round']} slices of sound through {first['n_weights']:,} weights, "
        f'{first["bytes_per_client_round"] / 1e6:.2f} MB received and sent. Energy on "{result["device"]}", of '
        "computing (the encoder alone, in float32) and of the radio:",
        "",
        "| radio | computing, mJ | sending, mJ | a round, mJ |",
        "|---|---:|---:|---:|",
    ]
    for radio, parts in first["energy_mj"].items():
        total = sum(parts.values())
        lines.append(f"| {radio} | {parts['training']:,.0f} | {parts['radio']:,.0f} | {total:,.0f} |")
    headings = ["run", "clipping norm", "noise multiplier", "epsilon", "delta", "last loss"]
    lines += ["", f"| {' | '.join(headings)} |", "|---" + "|---:" * 5 + "|"]
    for one in result["federations"]:
        used = one["federation"]
        privacy = ["none"] * 3
        if one["epsilon"] is not None:
            privacy = [f"{used['noise_multiplier']:g}", f"{one['epsilon']:.1f}", f"{used['delta']:g}"]
        norm = f"{used['clipping_norm']:g}" if used["clipping_norm"] else "none"
        lines.append(f"| {one['name']} | {norm} | {' | '.join(privacy)} | {one['loss']:.3f} |")
    return "\n".join(lines) + "\n" + rest


if __name__ == "__main__":
    main()
