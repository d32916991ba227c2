"""Simulated quarters of one model: how often its limits cry wolf, and how soon they hear a real change."""
