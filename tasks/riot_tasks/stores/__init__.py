"""Stores in the world outside, named by URL: blobs and tables. Clients are one per process, made when first needed."""
