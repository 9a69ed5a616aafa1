"""What learns from a key's records, or foretells."""
