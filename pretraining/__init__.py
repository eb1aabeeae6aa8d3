"""Learning small encoders of sound without labels, and telling how good they are with one probe."""
