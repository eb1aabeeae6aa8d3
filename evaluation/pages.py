"""Write every generated figure of the Markdown pages: python -m evaluation.pages --write (or --check).

A page marks a generated part with ``<!-- generated: NAME -->`` and ``<!-- end -->``, NAME being one of :data:`BLOCKS`.
Model cards are generated as a whole. A test holds every page to its generator.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from evaluation import energy_figures, export_figures, micro_figures, model_card, readme
from evaluation.detector import gate_report, operating, teacher_clips, whole_phone
from evaluation.experiments import (
    ablate,
    backwards,
    continuations,
    curve,
    decoders,
    defences_report,
    discrete,
    encoder_table,
    federated,
    from_encoder,
    gap_evidence,
    grid_at_scale,
    learning_rates,
    privacy,
    search_depth,
    sizes,
    speeds,
    strangers,
    two_tables,
)
from nowplaying_core.artifacts import write_text
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError

__all__ = ["BLOCKS", "ROOT", "fill", "main", "pages"]

ROOT: Final = Path(__file__).resolve().parents[1]
BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "headline": readme.headline_text,
    "retrieval": readme.retrieval_text,
    "one-second": readme.one_second_text,
    "grid": readme.grid_text,
    "grid-at-scale": grid_at_scale.committed_table,
    "detector": readme.detector_text,
    "speed": readme.speed_text,
    "energy": energy_figures.summary_text,
    "energy-day": energy_figures.day_text,
    "energy-days": energy_figures.days_text,
    "energy-architectures": energy_figures.architectures_text,
    "energy-always-on": energy_figures.always_on_text,
    "energy-detector": energy_figures.detector_current_text,
    "energy-sensitivity": energy_figures.sensitivity_text,
    "ablations": ablate.committed_table,
    "continuations": continuations.committed_table,
    "backwards": backwards.committed_table,
    "attention": partial(ablate.committed_table, ablate.ATTENTION),
    "attention-places": partial(ablate.committed_table, ablate.ATTENTION, "attention-places"),
    "capacity": partial(ablate.committed_table, ablate.CAPACITY),
    "curve": curve.committed_table,
    "decoders": decoders.committed_table,
    "decoders-2000": partial(decoders.committed_table, decoders.LONGER),
    "federated": federated.committed_table,
    "federated-200": partial(federated.committed_table, "federated-200"),
    "federated-continued": partial(federated.committed_table, "federated-continued"),
    "from-encoder": from_encoder.committed_table,
    "from-encoder-1500": partial(from_encoder.committed_table, "from_encoder-1500"),
    "from-encoder-8000": partial(from_encoder.committed_table, "from_encoder-8000"),
    "encoder-table": encoder_table.committed_table,
    "encoder-table-500": partial(encoder_table.committed_table, "encoder_table-500"),
    "encoder-table-3000": partial(encoder_table.committed_table, "encoder_table-3000"),
    "learning-rates": learning_rates.committed_table,
    "two-tables-rates": partial(two_tables.committed_table, "rates"),
    "two-tables-steps": partial(two_tables.committed_table, "steps"),
    "two-tables-recordings": partial(two_tables.committed_table, "recordings"),
    "gap-evidence": gap_evidence.committed_table,
    "discrete": discrete.committed_table,
    "search-depth": search_depth.committed_table,
    "sizes": sizes.committed_table,
    "speeds": speeds.committed_table,
    "strangers": strangers.committed_table,
    "whole-phone": whole_phone.committed_table,
    "operating": operating.committed_table,
    "operating-kinds": operating.committed_kinds,
    "gates": gate_report.committed_table,
    "teacher-clips": teacher_clips.committed_table,
    "privacy-music": privacy.music_table,
    "privacy-words": privacy.committed_words_table,
    "privacy-attacks": defences_report.committed_attacks,
    "privacy-defences": defences_report.committed_defences,
    "export-parity": export_figures.parity_text,
    "export-size": export_figures.size_text,
    "export-metadata": export_figures.metadata_text,
    "detector-cost": export_figures.detector_cost_text,
    "firmware-cost": export_figures.firmware_cost_text,
    "micro-cost": micro_figures.micro_cost_text,
}
_BLOCK: Final = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str, blocks: Mapping[str, Callable[[], str]] = BLOCKS) -> str:
    """Return a page with every marked part generated anew.

    Raises
    ------
    ConfigError
        When a page marks a block that has no generator.
    """

    def generated(found: re.Match[str]) -> str:
        begin, name, end = found.groups()
        if name not in blocks:
            message = f"generated: {name}: expected one of {', '.join(blocks)}"
            raise ConfigError(message)
        return f"{begin}{blocks[name]().strip()}\n{end}"

    return _BLOCK.sub(generated, text)


def pages(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Yield each page with generated figures, and the text that it should have."""
    for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))):
        text = path.read_text(encoding="utf-8")
        if _BLOCK.search(text):
            yield path, fill(text)
    for manifest in sorted((root / "models").glob("*/manifest.json")):
        yield manifest.with_name(model_card.CARD_NAME), model_card.card_text(manifest.parent)


def main(arguments: list[str] | None = None) -> int:
    """Write or check all pages; return 1 when a checked page differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--check", action="store_true", help="name the pages that differ from their generators")
    way.add_argument("--write", action="store_true", help="write them")
    options = parser.parse_args(arguments)
    stale = [(path, text) for path, text in pages() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(f"{'wrote' if options.write else 'differs:'} {path.relative_to(ROOT)}")
        if options.write:
            write_text(path, text)
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    run_command(main)
