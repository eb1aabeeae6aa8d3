"""The generated parts of the README and docs/accuracy.md, from the models' metrics and the benchmark's result (:mod:`evaluation.pages`)."""
# ruff: noqa: E501  # prose is broken where the README breaks, not where Python does

from evaluation.committed import committed
from evaluation.goals import detector_table
from evaluation.retrieval.report import OUT_OF_SAMPLE, false_accept_table, known_table, percent
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.text import markdown_table

ONE_SECOND = "fingerprinter-onesecond-v1"


def retrieval_text() -> str:
    """Return the two tables of retrieval with what they were measured on."""
    metrics = committed(f"models/{SHIPPED_FINGERPRINTER}/metrics.json")
    lines = [
        "Measured on split `dev` of the development corpus ([data.md](data.md)). All "
        f"{metrics['n_songs']} `train` and `dev` tracks are",
        f"indexed; {metrics['n_queries']} queries a condition come from {metrics['n_tracks']} `dev` tracks that no network "
        "was trained on; noise, simulated rooms of 0.2 to 0.8 s,",
        "12-byte codes, Annoy and the mu-law buffer. Intervals: 95 %, bootstrap over tracks.",
        OUT_OF_SAMPLE,
        "",
        known_table(metrics),
        "",
        false_accept_table(metrics),
        "",
        "`nowplaying evaluate retrieval --corpus CORPUS --cache-dir CACHE --float-model FLOAT --metrics` made these tables and",
        "the model card; `evaluation/goals.toml` holds the goals.",
    ]
    return "\n".join(lines)


def one_second_text() -> str:
    """Return the default model and the one for queries of one second beside each other, by length of the query."""
    names = (SHIPPED_FINGERPRINTER, ONE_SECOND)
    metrics = [committed(f"models/{name}/metrics.json") for name in names]
    manifests = [committed(f"models/{name}/manifest.json") for name in names]
    known = [{row["condition"]: row for row in one["known"]} for one in metrics]
    rows = []
    for condition in (f"{kind}, {length_s} s" for length_s in (1, 2, 3, 8) for kind in ("5 dB", "0 dB, room")):
        found = [
            one[condition][key]["rate"] if condition in one else None for key in ("rank1", "accepted") for one in known
        ]
        rows.append([condition, *("too short" if rate is None else percent(rate) for rate in found)])
    heads = ["query"] + [f"{kind} %, `{name}`" for kind in ("first", "accepted and right") for name in names]
    bytes_s = [(one["codebook"]["n_subspaces"] + 2) / one["reference_hop_s"] for one in manifests]
    costs = [
        f"`{name}` has {one:g} bytes a second of music, {one * 0.21:.1f} KB a song of 3.5 minutes"
        for name, one in zip(names, bytes_s, strict=True)
    ]
    lines = [
        f"{'; '.join(costs)}; cell numbers, two bytes each, are in it.",
        f"{' and '.join(str(one['n_queries']) for one in metrics)} queries of `dev` a condition among "
        f"{metrics[1]['n_songs']} songs, through codes, Annoy and mu-law; accepted out of sample.",
        "",
        markdown_table(heads, rows),
        "",
        false_accept_table(metrics[1]),
    ]
    return "\n".join(lines)


def grid_text() -> str:
    """Return what the high-resolution model reaches on the seed paper's grid."""
    metrics = committed("models/fingerprinter-sync-v1/metrics.json")
    cells = {(row["table"], row["snr_db"], row["length_s"], row["system"]): row for row in metrics["rows"]}
    lengths = sorted({row["length_s"] for row in metrics["rows"]})
    columns = [("noise", 0.0), ("noise", 10.0), ("noise and room", 0.0), ("noise and room", 10.0)]
    rows = [
        [
            f"{length:g} s",
            system,
            level,
            *(percent(cells[(*column, length, system)][level]["rate"]) for column in columns),
        ]
        for length in lengths
        for system, level in (
            ("majority, exact", "segment"),
            ("majority, exact", "song"),
            ("ours, pq", "song"),
            ("ours, pq", "timestamps"),
            ("landmarks", "song"),
        )
    ]
    heads = ["query", "system", "level", *(f"{table}, {snr:g} dB" for table, snr in columns)]
    lines = [
        f"The high-resolution model `{metrics['model']}` ({metrics['window_s']:g} s windows every {metrics['hop_s']:g} s) on "
        f"the grid of {metrics['title']}, top-1 in %:",
        f"dev, {metrics['n_songs']} references, not comparable with 25,000; {metrics['n_queries']} queries a cell from "
        f"{metrics['n_tracks']} tracks. *majority* is the paper's retrieval, *landmarks* a Shazam-type",
        "baseline, *segment* the nearest reference, *timestamps* the share of right songs placed within 50 ms.",
        "",
        markdown_table(heads, rows),
    ]
    return "\n".join(lines)


def accuracy_rows() -> list[tuple[float, dict[str, float]]]:
    """Return song-level top-1 in % by query length, at 0 dB in rooms: ours, the paper's retrieval, landmarks."""
    rows = committed("models/fingerprinter-sync-v1/metrics.json")["rows"]
    hard = [row for row in rows if (row["table"], row["snr_db"]) == ("noise and room", 0.0)]
    systems = {"ours": "ours, pq", "published retrieval": "majority, exact", "landmarks": "landmarks"}
    found = {(row["length_s"], row["system"]): 100 * row["song"]["rate"] for row in hard}
    lengths = sorted({row["length_s"] for row in hard})
    return [(length, {name: found[length, key] for name, key in systems.items()}) for length in lengths]


def headline_text() -> str:
    """Return the README's small table of accuracy, detection, speed and energy."""
    metrics = committed(f"models/{SHIPPED_FINGERPRINTER}/metrics.json")
    known = {row["condition"]: row for row in metrics["known"]}
    false = {(row["queries"], row["condition"]): row for row in metrics["false_accepts"]}
    wrong = false["unknown music", "5 dB, 8 s"]
    streams = committed(f"models/{SHIPPED_DETECTOR}/metrics.json")["streams"]
    rows = [
        (f"right song first, {name}", f"{percent(known[name]['rank1']['rate'])} %", f"{metrics['n_songs']} songs")
        for name in ("5 dB, 8 s", "0 dB, room, 8 s", "0 dB, room, 3 s")
    ]
    accepted = percent(known["0 dB, room, 8 s"]["accepted"]["rate"])
    rows += [
        ("named (first and sure enough), 0 dB, room, 8 s", f"{accepted} %", "out of sample"),
        ("unknown music wrongly named, 5 dB, 8 s", f"{wrong['count']} of {wrong['n']}", "goal: 0.3 %"),
        ("music found at 5 dB or more", f"{percent(streams['recall_audible']['value'])} %", "goal: 90 %"),
    ]
    return markdown_table(["figure", "value", ""], rows)


def detector_text() -> str:
    """Return the detector's figures with their goals."""
    metrics = committed(f"models/{SHIPPED_DETECTOR}/metrics.json")
    clips, streams = metrics["clips"], metrics["streams"]
    narrow = clips["area"]["low-passed 3.5 kHz"]
    cascade = committed(f"models/{SHIPPED_DETECTOR}/manifest.json").get("cascade")
    size = f"{metrics['model_bytes']:,} bytes" + ("" if cascade is None else f" and {cascade['model_bytes']:,}")
    lines = [
        f"The detector ({size}) on {clips['n_music']} + {clips['n_other']} clips with music at 0 to "
        "20 dB against noise and speech",
        f"(ROC area {narrow['value']:.3f} when everything is low-passed to 3.5 kHz) and on {streams['hours']:.0f} h of streams; "
        "the delay is from the music's start",
        "(`nowplaying evaluate detector --corpus CORPUS --cache-dir CACHE "
        f"--clips {clips['n_music']} --streams {streams['n_streams']} --metrics`).",
        "",
        detector_table(metrics),
    ]
    return "\n".join(lines)


def speed_text() -> str:
    """Return indexing and query speed in a paragraph."""
    speed = committed("benchmarks/speed.json")
    return (
        f"On two x86-64 cores, indexing runs at {speed['index_wav_16k_times_real_time']:.0f} times real time from 16 kHz WAV "
        f"and {speed['index_mp3_44k1_times_real_time']:.0f} times from 44.1 kHz MP3;\na query of 8 s takes "
        f"{speed['query_ms_p50']:.0f} ms end to end on one core (95 % within {speed['query_ms_p95']:.0f} ms), "
        f"one fingerprint {speed['front_end_ms_p50']:.2f} ms of front end\nand {speed['encoder_ms_p50']:.2f} ms of encoder ("
        "`python -m benchmarks.bench_speed --out benchmarks/speed.json`)."
    )
