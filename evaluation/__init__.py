"""How well everything works, measured."""
