"""What `from jobs import …` gives is a promise; a change here is a change for users."""

import jobs


def test_the_public_names() -> None:
    assert jobs.__all__ == [
        "Client",
        "Job",
        "JobSpec",
        "QuartetError",
        "Settings",
        "Sweep",
        "SweepSpec",
        "service",
    ]
    assert all(getattr(jobs, name).__name__ == name for name in jobs.__all__)
