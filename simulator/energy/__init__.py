"""What things cost: device profiles, the work of an answer, radios, and an account that always adds up."""
