"""The program's first lines: Ctrl-C ends it without a traceback while the rest is still being loaded."""

import sys


def main() -> None:
    """Load the command line and run it."""
    try:
        from jobs.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
