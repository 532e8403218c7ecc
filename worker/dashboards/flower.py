"""`python -m worker.dashboards.flower PASSWORD_FILE PORT`: Flower, behind the user `quartet` and a password.

Read-only: Flower would stop and change what it thinks are tasks, while Quartet's ledger has the say.
"""

import os
import sys
from pathlib import Path

from celery import Celery

from jobs.queue import APP_NAME, celery_settings
from jobs.settings import read_settings


def main(password_file: Path, port: int) -> None:
    """Serve until ended."""
    # By the environment of this process alone: everyone on the host can read a command line.
    os.environ["FLOWER_BASIC_AUTH"] = f"quartet:{password_file.read_text().strip()}"
    app = Celery(APP_NAME)
    app.conf.update(celery_settings(read_settings().redis_address()))
    app.start(["flower", "--address=0.0.0.0", f"--port={port}", "--read_only=True"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
