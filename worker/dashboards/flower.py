"""`python -m worker.dashboards.flower PASSWORD_FILE PORT`: Flower, behind the user `quartet` and a password.

Read-only: Flower would revoke tasks behind the back of the ledger, which alone decides about jobs.
"""

import os
import sys
from pathlib import Path

from celery import Celery

from jobs.ledger.messages import APP_NAME
from jobs.settings import read_settings
from worker.engine.broker import celery_settings


def main(password_file: Path, port: int) -> None:
    """Serve until stopped.

    Args:
        password_file: holds the password.
        port: to listen on, on all interfaces.

    Raises:
        OSError: the password file cannot be read.
        InvalidSetting: a setting is wrong.
    """
    # Not on the command line, which everyone on the host can read.
    os.environ["FLOWER_BASIC_AUTH"] = f"quartet:{password_file.read_text().strip()}"
    app = Celery(APP_NAME)
    app.conf.update(celery_settings(read_settings().redis_address()))
    app.start(["flower", "--address=0.0.0.0", f"--port={port}", "--read_only=True"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
