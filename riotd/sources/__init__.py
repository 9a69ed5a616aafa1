"""Where messages come from, one outside thing each."""
