"""The script by which the page of all jobs knows their labels, `results/index/labels.js`.

Whoever labels a job writes it, so that the page shows the label at once; a worker does where it is missing.
"""

import json
import logging
from pathlib import Path

from jobs.escape_control import escape_control
from jobs.store.atomic_files import whole_file
from jobs.store.labels import Labels
from jobs.store.regular_files import read_regular

log = logging.getLogger(__name__)

PAGE_FOLDER = "index"
NAME = "labels.js"


def write_labels_script(root: Path) -> None:
    """Write the labels of all jobs that were labelled since they were submitted, if there is a page.

    An error is logged, since a worker writes the script again.

    Args:
        root: the results folder.
    """
    folder = root / PAGE_FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return
    labels = Labels(root)
    try:
        if not labels.days():
            _write(folder / NAME, labels)
            return
        with labels.unchanged() as held:
            if held:
                _write(folder / NAME, labels)
    except OSError as error:
        log.warning("results/index.html lacks labels: %s", error)


def _write(path: Path, labels: Labels) -> None:
    found = {
        job_id: [list(map(escape_control, label.tags)), escape_control(label.note)]
        for day in labels.days()
        for job_id, label in labels.of_day(day).items()
    }
    # A text for the page to parse, in ASCII, which is harmless in a file of its own.
    content = f"quartetLabels({json.dumps(json.dumps(found, separators=(',', ':')))});\n".encode()
    try:
        if read_regular(path, len(content)) == content:
            return
    except OSError:
        pass
    with whole_file(path, durable=False) as file:
        file.write(content)
