"""Tasks that read from and write to the world outside: blobs, tables, archives, MQTT."""
