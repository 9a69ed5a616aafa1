"""The verbs a person types, one file each."""
