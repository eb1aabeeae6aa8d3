"""The radio's part of asking a server: waking it, sending, waiting for the answer, and the tail until it sleeps."""

from simulator.energy.device import Radio

__all__ = ["request_j", "request_s"]


def request_j(radio: Radio, n_bytes: float) -> float:
    """Return the energy of one request in J.

    Parameters
    ----------
    radio : Radio
    n_bytes : float >= 0
        Sent; the answer is a line of text and free.

    References
    ----------
    Huang et al., "A close examination of performance and power characteristics of 4G LTE networks", MobiSys 2012.
    """
    sending_s = 8e-6 * n_bytes / radio.upload_mbps
    sending_w = radio.base_w + radio.upload_w_per_mbps * radio.upload_mbps
    return (
        radio.promotion_s * radio.promotion_w
        + sending_s * sending_w
        + radio.round_trip_s * radio.base_w
        + radio.tail_s * radio.tail_w
    )


def request_s(radio: Radio, n_bytes: float) -> float:
    """Return how long the answer takes, in s; the tail comes after it."""
    return radio.promotion_s + 8e-6 * n_bytes / radio.upload_mbps + radio.round_trip_s
