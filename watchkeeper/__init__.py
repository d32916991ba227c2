"""The command line, the settings, and the one place where a model's watch is put together."""
