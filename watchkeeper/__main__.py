"""``python -m watchkeeper``: the command line."""

from watchkeeper.cli import main

main()
