"""One module a case: ``prepare(**arguments)`` imports and opens, unmeasured, and returns the work to be measured."""
