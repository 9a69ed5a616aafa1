"""Bounded runs: files, or items in memory, through a task or a dataflow, on any engine."""
