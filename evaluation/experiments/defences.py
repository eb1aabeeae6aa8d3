"""What a stored fingerprint gives away of a melody, and what hiding it costs: retrieval against rebuilt melody.

    python -m evaluation.experiments.defences --help

A thief owns the ``train`` songs and reads a database of the ``dev`` songs. What is finished is kept, so a run that was
stopped goes on, and seeds may be added.
"""

import argparse
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.experiments.defences_report import RESULTS, Part, rows_of, to_markdown
from evaluation.experiments.stored_forms import StoredForm, forms_of, rank1
from evaluation.experiments.thief import RIDGE, Thief, kept_passages
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.embedding import EmbeddingCache
from evaluation.retrieval.evaluation_set import index_corpus, plan_known
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_arrays, write_json
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError, needs_extra
from nowplaying_core.manifest import file_digests
from nowplaying_core.settings import check_given, require_counts

__all__ = ["main"]

_log = logging.getLogger(__name__)

Arrays = dict[str, NDArray[Any]]
_CONDITIONS: Final = tuple(Condition(length_s=length_s, snr_db=0.0, room="simulated") for length_s in (2.0, 8.0))
_SIMPLE_ATTACKS: Final = ("nearest known windows", RIDGE)
_CONTEXTS: Final = (1, 3, 5)
_CONTEXT: Final = 3  # fingerprints that are read together where forms are compared
_DELAYS_S: Final = (0.0, 0.5)  # twice as many windows to learn from as a database would have
_COPY_DELAY_S: Final = 0.125  # a thief who tries four places in each second is no further off
_N_DRAWN: Final = 2_000
_N_OWNED: Final = (1, 4, 16)
_N_OWNED_OF_CODES: Final = 16


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, then show the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1, help="networks trained for each row")
    parser.add_argument("--queries", type=int, default=600, help="a form and condition, as many are paired")
    parser.add_argument("--out", type=Path, required=True, help=f"folder of finished parts and of {RESULTS.name}")
    parser.add_argument("--publish", action="store_true", help=f"write {RESULTS.name} here, which the page shows")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with needs_extra("train", "learning attacks"):
        import pretraining.audit.melody  # noqa: F401 (now, and not after minutes of reading)
    require_counts(options, "seeds", "queries")
    options.out.mkdir(parents=True, exist_ok=True)
    result = measure(options)
    write_json(options.out / RESULTS.name, result)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS, result)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Compute the parts that are missing, and return the published figures."""
    embeddings = EmbeddingCache(options.model, options.cache_dir)
    model = embeddings.fingerprinter
    library = index_corpus(options.corpus, embeddings, options.cache_dir)
    paths = {split: [file.path for file in read_corpus(options.corpus, "music", split)] for split in ("train", "dev")}
    given = {"embedding_space": model.embedding_space, "queries": options.queries}
    given |= {f"{split} songs": len(found) for split, found in paths.items()}
    given |= file_digests(model.folder.manifest, "codebook")
    if len(paths["dev"]) <= max(_N_OWNED):
        message = (
            f"{options.corpus}: expected more than {max(_N_OWNED)} songs in the split `dev`, for a thief owns so many "
            f"and reads the others, found {len(paths['dev'])}"
        )
        raise ConfigError(message)
    check_given(options.out, given, begun=True)
    # Another copy, loop or remix of a song that is asked would be no other music.
    asked = {int(library.groups[library.songs[path]]) for path in paths["dev"]}
    own = [path for path in paths["train"] if int(library.groups[library.songs[path]]) not in asked]

    def passages(name: str, chosen: Sequence[Path], *delays_s: float) -> Any:
        file, hop_s = options.out / f"{name}.npz", model.reference_hop_s
        return kept_passages(file, chosen, model, options.cache_dir, hop_s=hop_s, delays_s=delays_s)

    thief = Thief(
        own=passages("own", own, *_DELAYS_S),
        read=passages("read", paths["dev"], 0.0),
        copies=passages("copies", paths["dev"], _COPY_DELAY_S),
    )
    thief.require_comparable()
    # As the other evaluations draw them, which have computed their fingerprints already.
    plan = plan_known(options.corpus, options.cache_dir, ("simulated", "measured"), n_queries=_N_DRAWN, seed=1)
    tracks = [query.path for query in plan.queries[: options.queries]]
    true_songs = np.array([library.songs[path] for path in tracks])

    def retrieved(form: StoredForm) -> Arrays:
        return {
            condition.name: rank1(
                form,
                library,
                embeddings.queries(plan, condition)[: options.queries],
                true_songs,
                hop_s=embeddings.query_hop_s,
                folder=options.out,
            )
            for condition in _CONDITIONS
        }

    forms = {form.name: form for form in forms_of(model.folder.path, seed=0)}
    parts = _parts(thief, forms, range(1, options.seeds + 1), retrieved)
    for number, (part, compute) in enumerate(parts, 1):
        if not part.file(options.out).is_file():
            _log.info("%d of %d: %s", number, len(parts), part.name)
            write_arrays(part.file(options.out), compute())
    songs = thief.read.songs[thief.read.sounding]
    return {
        "schema": "defences/1",
        "model": model.name,
        "n_own_songs": len(own),
        "n_own_windows": len(thief.own.sounding),
        "n_songs": len(paths["dev"]),
        "n_windows": len(songs),
        "n_seeds": options.seeds,
        "n_context": _CONTEXT,
        **rows_of(
            [(part, part.load(options.out)) for part, _ in parts],
            [str(song) for song in songs],
            [str(path) for path in tracks],
        ),
    }


def _parts(
    thief: Thief,
    forms: dict[str, StoredForm],
    seeds: Sequence[int],
    retrieved: Callable[[StoredForm], Arrays],
) -> list[tuple[Part, Callable[[], Arrays]]]:
    """Return what is measured, in the order in which networks are shared."""
    parts: dict[Part, Callable[[], Arrays]] = {}
    floats, codes, turned, turned_codes = (
        forms[name] for name in ("floats", "12-byte codes", "floats, rotated", "12-byte codes, rotated")
    )

    def rebuilt(form: StoredForm, n_context: int, attack: str, seed: int) -> None:
        part = Part("rebuilt", form.name, form.defence, attack=attack, n_context=n_context, seed=seed)
        parts[part] = partial(thief.rebuild, form, n_context, attack, seed)

    def unturned(plain: StoredForm, form: StoredForm, n_owned: int) -> None:
        part = Part("rebuilt", form.name, form.defence, attack=RIDGE, n_context=_CONTEXT, n_owned=n_owned)
        parts[part] = partial(thief.rebuild_turned, plain, form, _CONTEXT, n_owned)

    for form, contexts in ((floats, _CONTEXTS), (codes, (_CONTEXT,))):
        for n_context in contexts:
            for attack in _SIMPLE_ATTACKS:
                rebuilt(form, n_context, attack, 1)
            for seed in seeds:
                rebuilt(form, n_context, "network", seed)
    for n_owned in (0, *_N_OWNED):
        unturned(floats, turned, n_owned)
    for n_owned in (0, _N_OWNED_OF_CODES):
        unturned(codes, turned_codes, n_owned)
    for form in forms.values():
        if form.rotation is None:
            rebuilt(form, _CONTEXT, RIDGE, 1)
    parts[Part("found", turned.name, turned.defence)] = partial(thief.find_songs, turned)
    for form in forms.values():
        parts[Part("rank-1", form.name, form.defence)] = partial(retrieved, form)
    return list(parts.items())


if __name__ == "__main__":
    run_command(main)
