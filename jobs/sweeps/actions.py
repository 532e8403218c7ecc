"""What a sweep may do next: submit a job, cancel one, end."""

from dataclasses import dataclass

from jobs.sweeps.distributions import Point


@dataclass(frozen=True)
class Ask:
    """Submit this job.

    Attributes:
        trial: the number of the trial, as in `Entry`, as are the next four.
        rung: 0, or which promotion by halving it is.
        then: which of the jobs that follow a trial it is; None for the trial itself.
        point: the values of the parameters that vary.
        seed: the job's random seed.
        epochs: of a training job, where halving decides them; else None.
        seen: what the search had been told when it asked for this point.
        continues: the job whose checkpoint it resumes, where a trial is promoted.
        source: the job whose model it uses, where it follows a trial.
    """

    trial: int
    rung: int
    then: int | None
    point: Point
    seed: int
    epochs: int | None = None
    seen: str = ""
    continues: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Cancel:
    """Cancel this job.

    Attributes:
        job: its id.
        why: a clause, for its timeline: `validation loss 1.92 after epoch 4 is worse than …`. The outcome of
            a job that ends by this has `stopped` set; that of one that a person cancelled has not.
    """

    job: str
    why: str


@dataclass(frozen=True)
class End:
    """End the sweep: everything that it asked for has ended.

    Attributes:
        why: a clause: `all 24 trials have ended`.
    """

    why: str


Action = Ask | Cancel | End
