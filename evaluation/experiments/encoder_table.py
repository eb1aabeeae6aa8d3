"""The table of encoders: a row a method and seed, kept as JSON, so that the same command goes on where it stopped.

python -m evaluation.experiments.encoder_table --help. Each row is pretrained in a process of its own and then asked
all tasks; what is finished is kept, seed by seed, so that a table can always be made from what is there (``--table``).
"""

import argparse
import json
from pathlib import Path
from typing import Final

from evaluation.experiments.encoder_report import draw_losses, to_markdown
from evaluation.experiments.encoder_rows import CONFIGS, N_RANDOM, fill
from evaluation.experiments.encoder_summary import METHODS, NORMALISED, RANDOM, TUNED, summary
from evaluation.experiments.lab import add_task_options
from nowplaying_core.artifacts import write_json
from nowplaying_core.command import run_command

__all__ = ["committed_table", "main"]

RESULTS: Final = Path(__file__).parent
PLOTS: Final = Path(__file__).parents[2] / "docs/pretraining"
NAME: Final = "encoder_table"
_TUNING_STEPS: Final = 400


def main() -> None:
    """Pretrain and probe what is missing, and write the table of all rows that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=METHODS, help="a method; all by default")
    parser.add_argument("--budget", type=Path, default=CONFIGS / "table.toml", help="settings that all runs share")
    parser.add_argument("--steps", type=int, help="of a run, instead of the budget's")
    parser.add_argument(
        "--seeds", type=int, default=1, help=f"of each method; {RANDOM} and {NORMALISED} have {N_RANDOM}"
    )
    parser.add_argument(
        "--beside",
        type=Path,
        action="append",
        default=[],
        help="a finished run or a model, a row too",
    )
    parser.add_argument(
        "--bag", type=Path, action="append", default=[], help="a finished run with codes, whose counts are a row too"
    )
    parser.add_argument("--tuning-steps", type=int, default=_TUNING_STEPS, help=f"of {TUNED}")
    parser.add_argument("--extra-data", type=Path, help="more recordings, in folders music, noise and speech")
    parser.add_argument("--rendered-midi", type=Path, help="folder of music rendered from MIDI, to pretrain on")
    parser.add_argument("--out", type=Path, required=True, help=f"folder of the rows and of {NAME}.json")
    parser.add_argument("--table", action="store_true", help="only make the table of the rows that are there")
    parser.add_argument(
        "--publish",
        metavar="NAME",
        nargs="?",
        const=NAME,
        help=f"write NAME.json here, {NAME} by default, which a page shows, and draw the losses",
    )
    add_task_options(parser)
    options = parser.parse_args()
    if not options.table:
        fill(options)
    result = summary(options.out)
    write_json(options.out / f"{NAME}.json", result)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS / f"{options.publish}.json", result)
        draw_losses(result, PLOTS / f"{options.publish.replace(NAME, 'losses')}.png")


def committed_table(name: str = NAME) -> str:
    """Return a published table, by the name that it was published under."""
    return to_markdown(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    run_command(main)
