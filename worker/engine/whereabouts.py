"""Says in a worker's statistics where it runs and on which GPU, which Flower shows on the worker's page."""

import platform
from typing import Any

from celery import bootsteps

from worker.engine.gpu import device


class Whereabouts(bootsteps.StartStopStep):  # type: ignore[misc] # Celery has no types
    """A step of Celery's worker that starts nothing; Celery asks only this kind of step about itself."""

    def info(self, parent: Any) -> dict[str, str]:  # noqa: ARG002 - Celery's signature
        """What Celery adds to the worker's statistics.

        Args:
            parent: the worker.
        """
        return {"host": platform.node(), "gpu": device.of_worker_with_uuid()}
