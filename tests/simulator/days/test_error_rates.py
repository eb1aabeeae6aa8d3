"""What error rates say of music at a level and length, and of the published detector."""

import numpy as np
import pytest

from simulator.days.error_rates import published_rates
from simulator.days.measured_rates import measured_rates

SHIPPED = measured_rates()


def test_louder_and_longer_music_is_accepted_more_often() -> None:
    for room in (False, True):
        by_level = [SHIPPED.accepted_at(snr_db, 8.0, room=room) for snr_db in range(-20, 21)]
        by_length = [SHIPPED.accepted_at(5.0, seconds, room=room) for seconds in np.linspace(0, 8, 17)]
        for shares in (by_level, by_length):
            assert shares == sorted(shares)
            assert shares[0] == 0
            assert 0.9 < shares[-1] <= 1
    assert SHIPPED.accepted_at(0.0, 8.0, room=True) == pytest.approx(0.897, abs=0.02)


def test_delays_are_drawn_between_the_quantiles() -> None:
    rng = np.random.default_rng(1)
    drawn = [SHIPPED.delay_s(rng) for _ in range(2000)]
    assert min(drawn) >= SHIPPED.delays_s[0]
    assert max(drawn) <= SHIPPED.delays_s[-1]
    assert np.median(drawn) == pytest.approx(SHIPPED.delays_s[2], rel=0.05)


def test_the_published_detector_keeps_our_recognizer() -> None:
    published = published_rates(SHIPPED)
    assert published.false_per_h("noise") == 3.0
    assert published.false_per_h("quiet") == 0.0
    assert published.recall_at(10.0) == 0.755
    assert published.accepted_by_snr == SHIPPED.accepted_by_snr
