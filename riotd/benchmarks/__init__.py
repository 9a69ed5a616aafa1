"""How fast tasks are: measured through the daemon's own pump, beside what RIoTBench's authors published."""
