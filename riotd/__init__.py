"""A daemon that runs stateful tasks over live sensor feeds."""

__version__ = "0.1.0"
