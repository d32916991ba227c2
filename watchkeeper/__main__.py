"""``python -m watchkeeper``: the command line."""

from watchkeeper.cli.main import main

main()
