"""Training as a job: a history read through Ray Data, settings chosen by Ray Tune, one model that PRED can use."""
