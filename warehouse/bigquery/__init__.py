"""The production engine: Google BigQuery."""
