"""One way to listen to anything: a file, a microphone, standard input or a scene through the simulated phone."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio import AudioSource, Sound, open_stream
from nowplaying_core.text import printable
from simulator.energy.costs import CostModel
from simulator.energy.usage import Usage
from simulator.phone.events import Event
from simulator.phone.phone import Phone
from simulator.phone_setup import Setup
from simulator.provenance import Provenance
from simulator.result import SimulationResult

__all__ = ["run_phone", "simulate_source", "watched"]

Samples = NDArray[np.float32]


def run_phone(
    phone: Phone,
    source: Iterable[Samples],
    *,
    name: str,
    published: CostModel | None,
    modelled: CostModel,
    provenance: Provenance | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> SimulationResult:
    """Let a phone listen to a source to its end.

    Parameters
    ----------
    phone : Phone
    source : iterable of ndarray of float32
        Chunks of mono sound at 16 kHz.
    name : str
        Name of the source.
    published : CostModel or None
    modelled : CostModel
    provenance : Provenance, optional
    on_event : callable, optional
        Called with every event as it happens.
    """
    events: list[Event] = []
    began_s = time.perf_counter()
    for event in phone.run(source):
        events.append(event)
        if on_event is not None:
            on_event(event)
    return SimulationResult(
        source=printable(name),
        duration_s=phone.now_s,
        wall_s=time.perf_counter() - began_s,
        events=events,
        usage=replace(Usage.of_events(events), n_second_stage_runs=phone.n_second_stage_runs),
        published=published,
        modelled=modelled,
        gate=phone.config.gate,
        provenance=provenance or Provenance(command="", models=(), database="", device=modelled.device.title),
    )


def simulate_source(
    source: Sound | AudioSource,
    setup: Setup,
    *,
    command: str = "",
    on_event: Callable[[Event], None] | None = None,
    on_sound: Callable[[Samples], None] | None = None,
) -> SimulationResult:
    """Let the simulated phone listen to a file, a microphone or standard input.

    Parameters
    ----------
    source : str, Path or (samples, sample_rate_hz)
        A recording, ``"-"`` for raw PCM on standard input, ``"mic"`` or ``"mic:DEVICE"``.
        An opened stream is closed at the end.
    setup : Setup
    command : str
        That asked for the run, for its provenance.
    on_event, on_sound : callable, optional
        Called with every event, and with every chunk of sound before the phone gets it.
    """
    with source if isinstance(source, AudioSource) else open_stream(source, lenient=True) as stream:
        return run_phone(
            setup.make_phone(),
            watched(stream, on_sound),
            name=stream.name,
            published=setup.published,
            modelled=setup.modelled,
            provenance=setup.provenance(command),
            on_event=on_event,
        )


def watched(source: Iterable[Samples], on_sound: Callable[[Samples], None] | None) -> Iterator[Samples]:
    """Yield the chunks of a source, each after a callback has seen it."""
    for chunk in source:
        if on_sound is not None:
            on_sound(chunk)
        yield chunk
