"""A federation small enough for a test."""

from pretraining.federated.config import FederationConfig

FEDERATION = FederationConfig(
    n_clients=2, clients_per_round=2, n_rounds=2, local_steps=2, local_clips=3, concentration=1.0, server_share=0.2
)
