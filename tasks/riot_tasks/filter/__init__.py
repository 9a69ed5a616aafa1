"""What lets records through, or not."""
