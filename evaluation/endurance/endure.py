"""Kill writers and damage databases for as long as it takes: no crash, no hang, no corrupt database accepted.

    python -m evaluation.endurance.endure --kills 2000 --cases 10000 --seed 1 --out endurance.json

Works in a temporary folder; ``--folder`` names another place, such as one in memory, where syncing costs nothing. The
exit code is 0 only if nothing failed.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from evaluation.endurance.damage import run_damage
from evaluation.endurance.kills import run_kills
from nowplaying_core import __version__
from nowplaying_core.artifacts import write_json
from nowplaying_core.command import run_command

__all__ = ["endure", "main"]

_FLAT_SHARE = 0.25


def endure(folder: Path, *, n_kills: int, n_cases: int, seed: int) -> dict[str, Any]:
    """Return the reports of both trials.

    Parameters
    ----------
    folder : Path
        An empty folder to work in.
    n_kills : int >= 0
        Three quarters of them for the layout "pq", the others for "flat".
    n_cases : int >= 0
    seed : int
    """
    began_s = time.perf_counter()
    kills = {}
    n_flat = round(_FLAT_SHARE * n_kills)
    for layout, number in (("pq", n_kills - n_flat), ("flat", n_flat)):
        (folder / layout).mkdir()
        kills[layout] = run_kills(folder / layout, number, seed=seed, layout=layout).to_dict()
    (folder / "damage").mkdir()
    damage = run_damage(folder / "damage", n_cases, seed=seed).to_dict()
    failures = [*damage["failures"], *(line for report in kills.values() for line in report["failures"])]
    return {
        "kind": "endurance",
        "schema_version": 1,
        "written_by": f"nowplaying {__version__}, Python {platform.python_version()}",
        "n_kills": n_kills,
        "n_cases": n_cases,
        "n_failures": len(failures),
        "kills": kills,
        "damage": damage,
        "wall_s": round(time.perf_counter() - began_s, 1),
    }


def main() -> int:
    """Read the arguments, run, and print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work; by default the system's temporary folder")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # nothing of the trials is to be remembered
        (Path(folder) / "trials").mkdir()
        result = endure(Path(folder) / "trials", n_kills=arguments.kills, n_cases=arguments.cases, seed=arguments.seed)
    if arguments.out is not None:
        write_json(arguments.out, result)
    print(json.dumps(result, indent=2))
    return 1 if result["n_failures"] else 0


if __name__ == "__main__":
    run_command(main)
