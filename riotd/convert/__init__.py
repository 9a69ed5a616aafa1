"""RIoTBench's property files, turned into configurations of riotd."""

from riotd.convert.conversion import ALL, FLOWS, Conversion, convert
from riotd.convert.settings import Fate

__all__ = ["ALL", "FLOWS", "Conversion", "Fate", "convert"]
