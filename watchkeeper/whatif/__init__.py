"""Stored days judged again: under other rules, or with faults injected."""
