"""The only place where the parts meet: a config becomes a service; no I/O happens here."""

from riotd.wiring.service import Service, build

__all__ = ["Service", "build"]
