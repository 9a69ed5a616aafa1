"""Everything on one machine, live: a broker, a city of sensors, the daemon, and a view of it."""
