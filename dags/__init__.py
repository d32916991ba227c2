"""Schedules and wiring in Airflow; no logic."""
