import numpy as np
import pytest

from nowplaying_core.audio.rooms import decaying_response, from_direct_sound


def test_a_response_begins_at_the_direct_sound_with_unit_energy() -> None:
    room = np.zeros(500)
    room[120], room[200] = -2.0, 1.0
    aligned = from_direct_sound(room, 300)
    assert aligned.size == 300
    assert aligned[0] == pytest.approx(-2 / np.sqrt(5))
    assert aligned[80] == pytest.approx(1 / np.sqrt(5))
    assert np.count_nonzero(aligned) == 2
    assert from_direct_sound(room, 1000).size == 380


def test_drawn_responses_decay(rng: np.random.Generator) -> None:
    for _ in range(20):
        room = decaying_response(rng)
        assert room[0] == 1.0
        half = room.size // 2
        assert np.sum(room[half:] ** 2) < np.sum(room[1:half] ** 2)
