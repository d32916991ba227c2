"""A model's day, step by step: arrive, check, measure, conclude, decide, publish, notify."""
