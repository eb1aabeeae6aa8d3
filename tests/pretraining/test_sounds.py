import pytest

from pretraining.sounds import group_shares
from tests.pretraining.material import small_config


@pytest.mark.parametrize("speech", [0.1, 0.2, 0.3, 0.4])
def test_shares_of_one_leave_nothing_over(speech: float) -> None:
    """1 - 0.8 - 0.2 is -6e-17, which no generator takes for a probability."""
    shares = [share for _, share in group_shares(small_config("cola", music_share=1 - speech, speech_share=speech))]
    assert min(shares) >= 0
    assert sum(shares) == pytest.approx(1.0)
