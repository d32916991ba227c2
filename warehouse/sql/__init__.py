"""The statements sent to the bank's data: identifiers quoted, values bound, written once for every engine."""
