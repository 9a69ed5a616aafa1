"""Where tasks run: in a thread, or in Ray actors."""
