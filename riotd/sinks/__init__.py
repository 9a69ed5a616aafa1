"""Where results and dead letters go, one outside thing each."""
