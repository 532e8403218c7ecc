"""Celery's settings for a worker, and for who asks workers: JSON only, one process, one job at a time."""

from typing import Any

from jobs.ledger.messages import PRIORITIES, QUEUES
from jobs.redis_access.address import read_address
from worker.engine import broker


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Celery's settings, with which it reaches Redis through `worker.engine.broker`.

    Args:
        redis_url: as `Settings.redis_address` has it.

    Returns:
        Celery's names of the settings -> their values; none holds a password.

    Raises:
        InvalidSetting: the address is not valid.
        MissingPart: the version of kombu is not one that the transport was tested with.
    """
    broker.install()
    address = read_address(redis_url)
    return {
        "broker_url": broker.url_for(redis_url),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "accept_content": ["json"],
        "task_serializer": "json",
        "event_serializer": "json",
        "result_accept_content": ["json"],
        "broker_transport_options": {
            "priority_steps": list(PRIORITIES.values()),
            "queue_order_strategy": "sorted",
            "global_keyprefix": address.prefix,
            # For Flower, which counts waiting messages by an address of kombu's.
            "master_name": address.service,
        },
        "task_default_queue": QUEUES["short"],
        "task_create_missing_queues": True,
        "task_ignore_result": True,
        # Early: the ledger is the truth; a message is only a wake-up call.
        "task_acks_late": False,
        # A job keeps running while Redis is away; the sweeper queues lost jobs again.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_pool": "prefork",
        # A CUDA context does not survive a fork.
        "worker_pool_start_method": "spawn",
        "worker_concurrency": 1,
        "worker_prefetch_multiplier": 1,
        # A busy worker must not hold a job that another could do.
        "worker_disable_prefetch": True,
        "worker_proc_alive_timeout": 60.0,
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "worker_enable_remote_control": True,
    }
