"""The four dataflows together, live: ETL, STATS, TRAIN and PRED over one broker, and a view of all four."""
