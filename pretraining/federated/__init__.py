"""Pretraining where the sound is: many clients with their own, one server that only sees what they learnt."""
