"""Pretraining on clients against pretraining in one place: python -m evaluation.experiments.federated --help.

One method on the same sound: not at all ("random"), in one place, and on clients ("federated"), the last two with
equally many clips. Then the server begins with its own recordings ("server alone"), and clients go on with all weights
("continued") or, with privacy, many more clients than before with a part of the weights, without noise ("clipped") and
with the noise of each budget ("epsilon E"). What is finished is kept and what was stopped goes on.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from evaluation.experiments.federated_report import to_markdown
from evaluation.experiments.lab import add_task_options, chosen_tasks, in_own_processes
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError, needs_extra
from nowplaying_core.settings import init_run_dir
from pretraining.config.run import PretrainingConfig
from pretraining.federated.config import FederationConfig

RESULTS: Final = Path(__file__).parent
CONFIGS: Final = Path(__file__).parents[2] / "configs" / "pretraining"
LARGE: Final[dict[str, Any]] = {"n_clients": 100_000, "clients_per_round": 1_000, "delta": 1e-6}


def main() -> None:
    """Run what is missing, probe all, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=CONFIGS / "nt_xent.toml", help="settings of the method")
    parser.add_argument("--federation", type=Path, default=CONFIGS / "federation.toml", help="without privacy")
    parser.add_argument(
        "--continued", type=Path, default=CONFIGS / "federation-continued.toml", help="after the server"
    )
    parser.add_argument("--private", type=Path, default=CONFIGS / "federation-private.toml", help="with clipping")
    parser.add_argument("--rounds", type=int, help="instead of the federations'")
    parser.add_argument("--server-steps", type=int, default=1000, help="of 32 clips, on the server's own recordings")
    parser.add_argument("--epsilon", type=float, nargs="*", default=[10.0, 5.0, 2.0, 1.0], help="a run for each budget")
    parser.add_argument("--only", action="append", default=[], help="a run by its name; all by default")
    parser.add_argument("--device", default="phone-2026", help="profile that energy is computed for")
    add_task_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and of federated.json")
    parser.add_argument(
        "--publish",
        metavar="NAME",
        nargs="?",
        const="federated",
        help="write NAME.json here: federated by default, which docs/pretraining/federated-table.md shows",
    )
    options = parser.parse_args()
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir)
    with needs_extra("federated", "federated pretraining"):
        from pretraining.federated.privacy import noise_for
    runs = chosen(planned(options, noise_for), options.only)
    folders = {name: options.out / name.replace(" ", "-") for name in runs}
    in_own_processes(run, [(folders[name], sources, *what) for name, what in runs.items()], jobs=1)
    (result,) = in_own_processes(measure, [(folders, options)])
    write_json(options.out / "federated.json", result)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS / f"{options.publish}.json", result)


def committed_result(name: str = "federated") -> dict[str, Any]:
    """Return a published result: ``federated``, or ``federated-200``, of all rounds but without noise."""
    result: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return result


def committed_table(name: str = "federated") -> str:
    """Return the tables of a published result."""
    return to_markdown(committed_result(name))


def planned(
    options: argparse.Namespace, noise_for: Callable[[float, FederationConfig], FederationConfig]
) -> dict[str, tuple[Any, ...]]:
    """Return what to call for each run, in the order of running: a function and its settings."""
    config = PretrainingConfig.read(options.config)
    federations = [FederationConfig.read(path) for path in (options.federation, options.continued, options.private)]
    if options.rounds is not None:
        federations = [replace(one, n_rounds=options.rounds) for one in federations]
    federation, continued, private = federations
    start = options.out / "server-alone"
    of_server = replace(config, n_steps=options.server_steps, clips_per_step=32, learning_rate=federation.local_rate)
    return {
        "random": (in_one_place, replace(config, method="random")),
        "central": (in_one_place, central(config, federation)),
        "federated": (on_clients, config, federation, None),
        "server alone": (on_server, of_server, private),
        "continued": (on_clients, config, continued, start),
        "clipped": (on_clients, config, private, start),
        **{f"epsilon {one:g}": (on_clients, config, noise_for(one, private), start) for one in options.epsilon},
    }


def chosen(runs: Mapping[str, tuple[Any, ...]], only: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """Return the runs of these names; all where none is named.

    Raises
    ------
    ConfigError
        When a name is none of theirs.
    """
    if unknown := [name for name in only if name not in runs]:
        message = f"--only: expected names out of {', '.join(runs)}, found {', '.join(unknown)}"
        raise ConfigError(message)
    return {name: what for name, what in runs.items() if not only or name in only}


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


def on_server(config: PretrainingConfig, federation: FederationConfig, sources: TrainingSources, run_dir: Path) -> None:
    """Pretrain on the server's own recordings, unless that is done with these settings."""
    from pretraining.encoder import WEIGHTS_NAME
    from pretraining.federated.run import pretrain_on_server

    if (run_dir / WEIGHTS_NAME).is_file():
        init_run_dir(config, run_dir)
    else:
        pretrain_on_server(config, federation, sources, run_dir)


def on_clients(
    config: PretrainingConfig,
    federation: FederationConfig,
    start: Path | None,
    sources: TrainingSources,
    run_dir: Path,
) -> None:
    """Pretrain on clients; a finished run only sets its normalisation again."""
    from pretraining.federated.run import pretrain_federated

    pretrain_federated(config, federation, sources, run_dir, start=start)


def measure(runs: Mapping[str, Path], options: argparse.Namespace) -> dict[str, Any]:
    """Probe all encoders, and add the traffic, energy and privacy loss of each federated run."""
    from export.macs import count_macs
    from export.tflite import to_float
    from pretraining.encoder import load_encoder
    from pretraining.federated.privacy import epsilon, scaled
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
    config, encoder = load_encoder(next(iter(runs.values())))
    device = DeviceProfile.load(options.device)
    macs, result["federations"] = count_macs(to_float(encoder)), []
    for name, folder in runs.items():
        if not (folder / RECORD_NAME).is_file():
            continue
        record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        federation = FederationConfig.from_dict(record["federation"])
        rounds, n_slices = record["rounds"], record["slices_per_round"]
        n_came = sum(one["n_clients"] for one in rounds)
        n_bytes = sum(one["bytes_down"] + one["bytes_up"] for one in rounds) / n_came
        work = {"forward_macs": n_slices * macs, "front_end_ops": n_slices * front_end_ops(config.front_end.to_dict())}
        parts = {radio: round_mj(device, radio, n_bytes=n_bytes, **work) for radio in device.radios}
        row = {key: record[key] for key in ("federation", "n_weights", "slices_per_round")}
        row |= {"name": name, "bytes_per_client_round": n_bytes, "loss": rounds[-1]["loss"]}
        row["energy_mj"] = {radio: {**one, "total": sum(one.values())} for radio, one in parts.items()}
        row |= {"epsilon": rounds[-1].get("epsilon"), "last_norm": rounds[-1].get("next_clipping_norm")}
        if row["epsilon"] is not None:
            row["large"] = {**LARGE, "epsilon": epsilon(scaled(federation, **LARGE))}
        result["federations"].append(row)
    return {**result, "method": PretrainingConfig.read(options.config).method, "device": device.title}


if __name__ == "__main__":
    run_command(main)
