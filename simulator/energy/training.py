"""Energy of a round of training on a phone: computing on one core, and sending the update."""

from simulator.energy.device import DeviceProfile
from simulator.energy.radio import request_j

__all__ = ["MACS_OF_TRAINING", "round_mj"]

MACS_OF_TRAINING = 3.0
"""Multiply-accumulates of a training step for each one forward: the gradients by inputs and by weights are as many."""


def round_mj(
    device: DeviceProfile, radio: str, *, forward_macs: float, front_end_ops: float, n_bytes: float
) -> dict[str, float]:
    """Return the energy of a client's round by component, in mJ.

    Parameters
    ----------
    device : DeviceProfile
    radio : str
        Of the device, such as "wifi".
    forward_macs : float >= 0
        Multiply-accumulates forward through the network, of all sound that the client trains on in the round.
    front_end_ops : float >= 0
        Float operations of their log-mel images.
    n_bytes : float >= 0
        Received and sent. Bytes received are priced like bytes sent, which is more than they cost: on LTE 52 against
        438 mW per Mbit/s (Huang et al., MobiSys 2012).

    Raises
    ------
    KeyError
        When the device has no such radio.

    Notes
    -----
    Training is in float32, at the profile's rate of float operations; a multiply-accumulate is two of them. Waking the
    phone and its screen are left out: such rounds run while it is charged.
    """
    operations = 2 * MACS_OF_TRAINING * forward_macs + front_end_ops
    seconds = operations / (1e9 * device.processor.float_gops_per_s)
    return {"training": 1000 * device.core_w * seconds, "radio": 1000 * request_j(device.radios[radio], n_bytes)}
