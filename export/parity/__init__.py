"""What was exported against what was evaluated."""
