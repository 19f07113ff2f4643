"""How classes of settings are written, checked, and refused in one sentence."""
