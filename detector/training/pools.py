"""Recordings that scenes are composed of, and random excerpts of them: stretched, looped, or scattered in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.training.effects import at_unit_level, excerpt, stretched
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.corpus import CorpusFile, Group, read_corpus
from nowplaying_core.audio.mixing import drop_silence
from nowplaying_core.audio.rooms import decaying_response
from nowplaying_core.audio.sources import TrainingSources

__all__ = ["SoundPools"]

Samples = NDArray[np.float32]
_EXTRA_SHARE: Final = 0.5
_SHORT_S: Final = 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundPools:
    """Recordings to compose from.

    Attributes
    ----------
    music, noise, speech, rooms : sequence of CorpusFile
        ``rooms`` may be empty.
    cache_dir : Path
        Where decoded audio is kept between runs.
    rendered_midi : sequence of CorpusFile
        Music rendered from MIDI files; may be empty.
    extra_data : mapping of group to sequence of CorpusFile
        Where a group is there, half of its draws come from here. Sounds under six seconds are scattered in time.
    stretched_share : float in [0, 1]
        Excerpts played faster or slower with their pitch, for more variety than the recordings have.
    """

    music: Sequence[CorpusFile]
    noise: Sequence[CorpusFile]
    speech: Sequence[CorpusFile]
    cache_dir: Path
    rooms: Sequence[CorpusFile] = field(default=())
    rendered_midi: Sequence[CorpusFile] = field(default=())
    extra_data: Mapping[Group, Sequence[CorpusFile]] = field(default_factory=dict)
    stretched_share: float = 0.0

    @classmethod
    def from_sources(cls, sources: TrainingSources, split: str | None, *, stretched_share: float = 0.0) -> "SoundPools":
        """Read one split of a corpus, or all of it, and the extra sources; rooms are optional."""
        root = sources.corpus
        groups: tuple[Group, ...] = ("music", "noise", "speech")
        return cls(
            music=read_corpus(root, "music", split),
            noise=read_corpus(root, "noise", split),
            speech=read_corpus(root, "speech", split),
            rooms=read_corpus(root, "rir", split) if (root / "rir.tsv").is_file() else (),
            rendered_midi=sources.rendered_files(),
            extra_data={group: files for group in groups if (files := sources.extra_files(group))},
            cache_dir=sources.cache_dir,
            stretched_share=stretched_share,
        )

    def pick_music(self, length: int, rng: np.random.Generator) -> tuple[Samples, CorpusFile]:
        """Return an excerpt of random music at unit band RMS, and its file."""
        file = _any_of(self._either("music", rng), rng)
        return self._excerpt(self.read(file.path), length, rng, widest=1.25), file

    def pick_rendering(self, length: int, rng: np.random.Generator) -> tuple[Samples, CorpusFile]:
        """Return an excerpt of random rendered music at unit band RMS, and its file."""
        file = _any_of(self.rendered_midi, rng)
        return self._excerpt(self.read(file.path), length, rng, widest=1.25), file

    def pick_noise(self, length: int, rng: np.random.Generator, *, looped: bool) -> tuple[Samples, CorpusFile]:
        """Return an excerpt of a random noise at unit band RMS, and its file; ``looped`` ones lose their silences."""
        files = self._either("noise", rng)
        file = _any_of(files, rng)
        samples = self.read(file.path)
        if files is not self.noise and samples.size < _SHORT_S * SAMPLE_RATE_HZ:
            return self._scattered(samples, files, length, rng), file
        return self._excerpt(drop_silence(samples, 50.0) if looped else samples, length, rng, widest=1.6), file

    def pick_speaker(self, rng: np.random.Generator) -> CorpusFile:
        """Return a random recording of speech."""
        return _any_of(self._either("speech", rng), rng)

    def room(self, rng: np.random.Generator) -> Samples:
        """Return a measured room response, or a synthetic one three times in four."""
        if self.rooms and rng.random() < 0.25:
            response = self.read(_any_of(self.rooms, rng).path)
            if response.size and np.abs(response).max() > 0:
                return response
        return decaying_response(rng)

    def read(self, path: Path) -> Samples:
        """Return a whole recording, through the cache."""
        return load_cached(path, self.cache_dir)

    def _either(self, group: Group, rng: np.random.Generator) -> Sequence[CorpusFile]:
        own: Sequence[CorpusFile] = getattr(self, group)
        others = self.extra_data.get(group)
        return others if others and rng.random() < _EXTRA_SHARE else own

    def _excerpt(self, samples: Samples, length: int, rng: np.random.Generator, *, widest: float) -> Samples:
        if rng.random() >= self.stretched_share:
            return at_unit_level(excerpt(samples, length, rng))
        factor = float(np.exp(rng.uniform(-np.log(widest), np.log(widest))))
        return at_unit_level(stretched(excerpt(samples, int(length * factor) + 2, rng), factor)[:length])

    def _scattered(self, first: Samples, files: Sequence[CorpusFile], length: int, rng: np.random.Generator) -> Samples:
        """Place a short sound, and up to three others, again and again at irregular moments."""
        sounds = [first]
        for _ in range(int(rng.integers(4))):
            other = self.read(_any_of(files, rng).path)
            if other.size < _SHORT_S * SAMPLE_RATE_HZ:
                sounds.append(other)
        sounds = [at_unit_level(sound) for sound in sounds if sound.size]
        mean_gap_s = float(np.exp(rng.uniform(np.log(0.05), np.log(2.0))))
        out = np.zeros(length, dtype=np.float32)
        start = 0
        while sounds and start < length:
            sound = sounds[int(rng.integers(len(sounds)))] * np.float32(10 ** (rng.uniform(-12, 0) / 20))
            if rng.random() < self.stretched_share:
                sound = stretched(sound, float(np.exp(rng.uniform(-0.5, 0.5))))
            part = sound[: length - start]
            out[start : start + part.size] += part
            # A sound may begin before the last one has ended, as footsteps or barks do.
            start += max(800, int(part.size * rng.uniform(0.5, 1.0) + rng.exponential(mean_gap_s) * SAMPLE_RATE_HZ))
        return at_unit_level(out)


def _any_of(files: Sequence[CorpusFile], rng: np.random.Generator) -> CorpusFile:
    return files[int(rng.integers(len(files)))]
