"""A job's log holds what somebody can act on."""

import logging
from pathlib import Path

from worker.engine.job_log import log_end, log_into


def test_a_warning_that_nobody_can_act_on_is_left_out(tmp_path: Path) -> None:
    log = logging.getLogger("tensorflow")
    with log_into(tmp_path / "log.txt"):
        log.warning("5 out of the last 9 calls to <f> triggered tf.function retracing. Tracing is expensive")
        log.warning("the disk is %s", "slow")
    assert (log_end(tmp_path / "log.txt") or "").endswith("WARNING tensorflow: the disk is slow")
    assert len((tmp_path / "log.txt").read_text().splitlines()) == 1


def test_a_log_that_is_closed_while_the_job_still_runs_gets_no_further_line(tmp_path: Path) -> None:
    log = logging.getLogger("task")
    with log_into(tmp_path / "log.txt") as handler:
        log.warning("before")
        handler.close()
        log.warning("after")
    assert [line.split()[-1] for line in (tmp_path / "log.txt").read_text().splitlines()] == ["before"]
