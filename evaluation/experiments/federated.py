"""Pretraining on clients against pretraining in one place: python -m evaluation.experiments.federated --help.

One method four times on the same sound: not at all ("random"), in one place, on clients, and on clients with clipping
and noise; the last three use equally many clips. What is finished is kept and what was stopped goes on.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from evaluation.experiments.lab import add_task_options, chosen_tasks, in_own_processes
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.text import markdown_table
from pretraining.config.run import PretrainingConfig
from pretraining.federated.config import FederationConfig

RESULTS: Final = Path(__file__).with_name("federated.json")
CONFIGS: Final = Path(__file__).parents[2] / "configs" / "pretraining"


def main() -> None:
    """Run what is missing, probe all, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=CONFIGS / "nt_xent.toml", help="settings of the method")
    parser.add_argument("--federation", type=Path, default=CONFIGS / "federation.toml")
    parser.add_argument("--rounds", type=int, help="instead of the federation's")
    parser.add_argument("--clipping-norm", type=float, default=1.0, help="of the runs with privacy")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.3, 1.0], help="multipliers; a run for each")
    parser.add_argument("--device", default="phone-2026", help="profile that energy is computed for")
    add_task_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and of federated.json")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write federated.json here, which docs/pretraining/federated-table.md is made from",
    )
    options = parser.parse_args()
    config = PretrainingConfig.read(options.config)
    federation = FederationConfig.read(options.federation)
    if options.rounds is not None:
        federation = replace(federation, n_rounds=options.rounds)
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir)
    private = [
        replace(federation, clipping_norm=options.clipping_norm, noise_multiplier=noise) for noise in options.noise
    ]
    runs: dict[str, tuple[Any, ...]] = {
        "random": (in_one_place, replace(config, method="random")),
        "central": (in_one_place, central(config, federation)),
        "federated": (on_clients, config, federation),
        **{f"noise {one.noise_multiplier:g}": (on_clients, config, one) for one in private},
    }
    folders = {name: options.out / name.replace(" ", "-") for name in runs}
    in_own_processes(run, [(folders[name], sources, *what) for name, what in runs.items()], jobs=options.jobs)
    (result,) = in_own_processes(measure, [(folders, options)])
    write_json(options.out / "federated.json", result)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS, result)


def committed_table() -> str:
    """Return the tables of the published result."""
    return to_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))


def central(config: PretrainingConfig, federation: FederationConfig) -> PretrainingConfig:
    """Return the settings of a run in one place that hears as many clips, in steps of as many."""
    n_steps = federation.n_rounds * federation.clients_per_round * federation.local_steps
    rate = federation.local_rate
    return replace(config, n_steps=n_steps, clips_per_step=federation.local_clips, learning_rate=rate)


def run(run_dir: Path, sources: TrainingSources, how: Callable[..., None], *settings: Any) -> None:
    """Pretrain one run."""
    how(*settings, sources, run_dir)


def in_one_place(config: PretrainingConfig, sources: TrainingSources, run_dir: Path) -> None:
    """Pretrain on all sound, unless that is done."""
    from pretraining.train import pretrain_once

    pretrain_once(config, sources, run_dir)


def on_clients(
    config: PretrainingConfig, federation: FederationConfig, sources: TrainingSources, run_dir: Path
) -> None:
    """Pretrain on clients; a finished run only sets its normalisation again."""
    from pretraining.federated.run import pretrain_federated

    pretrain_federated(config, federation, sources, run_dir)


def measure(runs: Mapping[str, Path], options: argparse.Namespace) -> dict[str, Any]:
    """Probe all encoders, and add the traffic, energy and privacy loss of each federated run."""
    from export.macs import count_macs
    from export.tflite import to_float
    from pretraining.encoder import load_encoder
    from pretraining.federated.run import RECORD_NAME
    from pretraining.probe.run import ProbeSettings, probe
    from simulator.energy.device import DeviceProfile
    from simulator.energy.training import round_mj
    from simulator.energy.work import front_end_ops

    tasks = chosen_tasks(options)
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
        parts = {radio: round_mj(device, radio, n_bytes=n_bytes, **work) for radio in device.radios}
        energy = {radio: {**one, "total": sum(one.values())} for radio, one in parts.items()}
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
    ]
    energies = [
        [radio, *(f"{parts[name]:,.0f}" for name in ("training", "radio", "total"))]
        for radio, parts in first["energy_mj"].items()
    ]
    headings = ["radio", "computing, mJ", "sending, mJ", "a round, mJ"]
    lines += [markdown_table(headings, energies, numbers=range(1, 4)), ""]
    rows = []
    for one in result["federations"]:
        used = one["federation"]
        privacy = ["none"] * 3
        if one["epsilon"] is not None:
            privacy = [f"{used['noise_multiplier']:g}", f"{one['epsilon']:.1f}", f"{used['delta']:g}"]
        norm = f"{used['clipping_norm']:g}" if used["clipping_norm"] else "none"
        rows.append([one["name"], norm, *privacy, f"{one['loss']:.3f}"])
    headings = ["run", "clipping norm", "noise multiplier", "epsilon", "delta", "last loss"]
    return "\n".join([*lines, markdown_table(headings, rows, numbers=range(1, 6))]) + "\n" + rest


if __name__ == "__main__":
    main()
