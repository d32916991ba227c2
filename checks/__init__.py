"""Is the incoming data fit to score on? Arrival, schema, and Great Expectations suites run in the warehouse."""
