"""How causes are found: a function for each, registered under its key, and the registry that asks them in order."""
