"""Streamed rows, taken into the profiles of their days in micro-batches."""
