"""Running figures over a key's records."""
