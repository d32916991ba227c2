"""The embedded engine: DuckDB over folders of Parquet files."""
