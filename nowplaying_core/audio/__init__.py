"""Audio in: files, standard input and microphones as mono float32 in [-1, 1] at 16 kHz."""

from nowplaying_core.audio.find import AUDIO_EXTENSIONS, find_audio
from nowplaying_core.audio.memory import MemoryFile
from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ, rms_dbfs, to_float32, to_int16, track_id
from nowplaying_core.audio.stream import AudioSource, Sound, load, open_stream

__all__ = [
    "AUDIO_EXTENSIONS",
    "SAMPLE_RATE_HZ",
    "AudioSource",
    "MemoryFile",
    "Sound",
    "find_audio",
    "load",
    "open_stream",
    "rms_dbfs",
    "to_float32",
    "to_int16",
    "track_id",
]
