"""Fault injection: a daemon that is fed, hurt and judged, on a scratch system of its own."""
