"""The README's generated parts, from the models' metrics and the benchmark's result (:mod:`evaluation.pages`)."""
# ruff: noqa: E501  # prose is broken where the README breaks, not where Python does

import json
from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER

ROOT = Path(__file__).resolve().parents[1]


def read(name: str) -> dict[str, Any]:
    """Return a JSON file of the repository."""
    content: dict[str, Any] = json.loads((ROOT / name).read_text(encoding="utf-8"))
    return content


def retrieval_text() -> str:
    """Return the two tables of retrieval with what they were measured on."""
    metrics = read(f"models/{SHIPPED_FINGERPRINTER}/metrics.json")
    known = [
        f"| {row['condition']} | {percent(row['rank1']['rate'])} | {percent(row['rank1']['bootstrap'][0])} to "
        f"{percent(row['rank1']['bootstrap'][1])} | {percent(row['accepted']['rate'])} | "
        f"{percent(row['wrong_accepted']['rate'], 2)} |"
        for row in metrics["known"]
    ]
    other = [
        f"| {row['queries']}, {row['condition']} | {row['count']} of {row['n']} | {percent(row['rate'], 2)} | "
        f"{percent(row['upper_95'], 2)} |"
        for row in metrics["false_accepts"]
    ]
    lines = [
        "Measured on split `dev` of the development corpus ([docs/data.md](docs/data.md)). All "
        f"{metrics['n_songs']} `train` and `dev` tracks are",
        f"indexed; {metrics['n_queries']} queries a condition come from {metrics['n_tracks']} `dev` tracks that no network "
        "was trained on; noise, simulated rooms of 0.2 to 0.8 s,",
        "12-byte codes, Annoy and the mu-law buffer. The thresholds were fitted on `dev` queries too. Intervals: 95 %, "
        "bootstrap over tracks.",
        "",
        "| query | right song first, % | interval | accepted and right, % | accepted and wrong, % |",
        "|---|---|---|---|---|",
        *known,
        "",
        "| what must not be named | accepted | % | 95 % upper bound |",
        "|---|---|---|---|",
        *other,
        "",
        "`nowplaying evaluate retrieval --corpus CORPUS --cache-dir CACHE --float-model FLOAT --fit-acceptance --metrics` "
        "made these tables and",
        "the model card. Where they fall short of what is wanted is said in [docs/experiments.md](docs/experiments.md).",
    ]
    return "\n".join(lines)


def grid_text() -> str:
    """Return what the high-resolution model reaches on the seed paper's grid."""
    metrics = read("models/fingerprinter-sync-v1/metrics.json")
    cells = {(row["table"], row["snr_db"], row["length_s"], row["system"]): row for row in metrics["rows"]}
    lengths = sorted({row["length_s"] for row in metrics["rows"]})
    columns = [("noise", 0.0), ("noise", 10.0), ("noise and room", 0.0), ("noise and room", 10.0)]
    rows = [
        f"| {length:g} s | {system} | {level} | "
        + " | ".join(percent(cells[(*column, length, system)][level]["rate"]) for column in columns)
        + " |"
        for length in lengths
        for system, level in (
            ("majority, exact", "segment"),
            ("majority, exact", "song"),
            ("ours, pq", "song"),
            ("ours, pq", "timestamps"),
            ("landmarks", "song"),
        )
    ]
    headers = " | ".join(f"{table}, {snr:g} dB" for table, snr in columns)
    lines = [
        f"The high-resolution model `{metrics['model']}` ({metrics['window_s']:g} s windows every {metrics['hop_s']:g} s) on "
        f"the grid of {metrics['title']}, top-1 in %:",
        f"dev, {metrics['n_songs']} references, not comparable with 25,000; {metrics['n_queries']} queries a cell from "
        f"{metrics['n_tracks']} tracks. *majority* is the paper's retrieval, *landmarks* a Shazam-type",
        "baseline, *segment* the nearest reference, *timestamps* the share of right songs placed within 50 ms.",
        "",
        f"| query | system | level | {headers} |",
        "|---|---|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines)


def detector_text() -> str:
    """Return the detector's ROC areas and what it does in streams in a paragraph."""
    metrics = read(f"models/{SHIPPED_DETECTOR}/metrics.json")
    clips, streams = metrics["clips"], metrics["streams"]
    wide, narrow = (clips["area"][name] for name in ("full band", "low-passed 3.5 kHz"))
    recall, rate = streams["recall_audible"], streams["false_triggers_per_hour"]
    lines = [
        f"The detector ({metrics['model_bytes']:,} bytes) reaches an ROC area of {wide['value']:.3f} ({wide['low']:.3f} to "
        f"{wide['high']:.3f}) on {clips['n_music']} + {clips['n_other']} clips of 4.5 s,",
        f"music at 0 to 20 dB against noise and speech, and {narrow['value']:.3f} when everything is low-passed to 3.5 kHz.",
        f"In {streams['hours']:.0f} h of streams it finds {percent(recall['value'])} % ({percent(recall['low'])} to "
        f"{percent(recall['high'])}) of the music regions at {streams['audible_db']:g} dB or more,",
        f"with {rate['value']:.2f} false triggers an hour ({rate['low']:.2f} to {rate['high']:.2f}), "
        f"{streams['median_delay_s']:.1f} s after the music's start in the median",
        "(`nowplaying evaluate detector --corpus CORPUS --cache-dir CACHE "
        f"--clips {clips['n_music']} --streams {streams['n_streams']} --metrics`).",
    ]
    return "\n".join(lines)


def speed_text() -> str:
    """Return indexing and query speed in a paragraph."""
    speed = read("benchmarks/speed.json")
    return (
        f"On two x86-64 cores, indexing runs at {speed['index_wav_16k_times_real_time']:.0f} times real time from 16 kHz WAV "
        f"and {speed['index_mp3_44k1_times_real_time']:.0f} times from 44.1 kHz MP3;\na query of 8 s takes "
        f"{speed['query_ms_p50']:.0f} ms end to end on one core (95 % within {speed['query_ms_p95']:.0f} ms), "
        f"one fingerprint {speed['front_end_ms_p50']:.2f} ms of front end\nand {speed['encoder_ms_p50']:.2f} ms of encoder ("
        "`python -m benchmarks.bench_speed --out benchmarks/speed.json`)."
    )


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a number of percent."""
    return f"{100 * share:.{digits}f}"
