import numpy as np

from evaluation.experiments.front_end_trees import drawn_windows, fitted, statistics

RNG = np.random.default_rng(1)


def windows(held: bool, n: int) -> np.ndarray:
    """Noise; with held notes, some channels stand out all the time."""
    values = RNG.normal(0, 10, (n, 446, 40))
    if held:
        values += 12 * (RNG.random((n, 1, 40)) < 0.2)
    return values.clip(-128, 127).astype(np.int8)


def test_statistics_see_what_holds_and_how_channels_change() -> None:
    found = statistics(np.full((2, 446, 40), 7, dtype=np.int8))
    assert found.shape == (2, 236)
    assert np.all(found[:, :40] == 7)
    assert np.all(found[:, 40:] == 0)
    one = np.zeros((1, 446, 40), dtype=np.int8)
    one[:, :, 5] = 100
    notes = statistics(one)[0, 160:198]
    assert notes[4] == 100, "channel 5 stands out from 4 and 6"
    assert notes[3] == notes[5] == 50
    flicker = np.zeros((1, 446, 40), dtype=np.int8)
    flicker[:, ::2] = 10
    assert np.allclose(statistics(flicker)[0, 80:120], 10, atol=0.1)
    assert np.all(statistics(flicker)[0, 120:160] == 0), "eight frames later it is the same"


def test_windows_with_little_or_masked_music_are_left_out() -> None:
    music = np.zeros((4, 2_000), dtype=np.uint8)
    music[1] = 1
    music[2] = 2
    music[3, ::4] = 1
    starts, is_music = drawn_windows(music, 10)
    assert set(starts[:, 0]) == {0, 1}
    assert np.array_equal(is_music, starts[:, 0] == 1)
    assert starts[:, 1].min() >= 500
    assert starts[:, 1].max() <= 2_000 - 446
    again, _ = drawn_windows(music[1:], 11)
    assert np.array_equal(again[:, 1], starts[starts[:, 0] == 1, 1]), "a scene draws by its number"


def test_trees_learn_from_statistics() -> None:
    values = [statistics(np.concatenate([windows(False, 60), windows(True, 60)])) for _ in range(2)]
    labels = [np.arange(120) >= 60] * 2
    trees = fitted([values[0]], [labels[0]], 1)
    found = trees.predict_proba(values[1])[:, 1] > 0.5
    assert (found == labels[1]).mean() > 0.9
