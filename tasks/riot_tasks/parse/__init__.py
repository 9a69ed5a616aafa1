"""Bytes and text into records, and back."""
