"""An engine of a test: CSV files, one for each table, with a day column."""
