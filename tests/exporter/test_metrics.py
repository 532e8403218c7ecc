"""The page of metrics says what is in Redis, and whatever is there, it is a page that Prometheus reads."""

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from jobs.exporter.metrics import page
from jobs.exporter.snapshot import take_snapshot
from jobs.ledger.ledger import Ledger
from tests.exporter.pages import fill, samples, value

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shown(ledger: Ledger) -> str:
    fill(ledger)
    return page(take_snapshot(ledger)).decode()


def test_every_metric_says_what_is_there(shown: str) -> None:
    found = samples(shown)
    assert value(found, "up") == 1
    kind = {"model": "denoiser", "action": "train", "priority": "high"}
    assert value(found, "jobs", state="running", **kind) == 1
    assert value(found, "jobs", state="queued", **kind) == 1
    assert [value(found, "open_jobs", queue=queue) for queue in ("training", "short")] == [2, 0]
    assert value(found, "queue_messages", queue="training", priority="high") == 2  # nobody took one
    assert 0 <= value(found, "oldest_wait_seconds", queue="training", priority="high") < 60
    assert value(found, "oldest_wait_seconds", queue="short", priority="low") == 0
    assert value(found, "declined_jobs") == value(found, "unpublished_jobs") == 0
    assert value(found, "attempts_lost_total", reason="process_killed") == 0
    assert value(found, "workers", queue="training", state="ready") == 1
    assert value(found, "workers", queue="training", state="waiting") == 1
    assert value(found, "workers", queue="short", state="ready") == 0
    assert value(found, "store_free_bytes", worker="w1@here") == 5e9
    assert value(found, "redis_memory_bytes") > 1e5
    assert value(found, "redis_memory_max_bytes") >= 0
    assert value(found, "worker_gpu_utilisation_ratio", worker="w1@here") == 0.37
    assert value(found, "worker_gpu_memory_bytes", worker="w1@here") == 2e9
    assert value(found, "worker_gpu_memory_total_bytes", worker="w1@here") == 8e10
    assert value(found, "worker_epoch_seconds", worker="w1@here", model="denoiser") == 2.5
    assert value(found, "worker_step_seconds", worker="w1@here", model="denoiser") == 0.01


def test_without_redis_it_says_so_and_nothing_else() -> None:
    assert samples(page(None).decode()) == {("quartet_up", frozenset()): 0}


def test_what_strangers_announce_leaves_a_page_that_can_be_read(ledger: Ledger) -> None:
    claim = fill(ledger)
    odd = 'x"\\\n\ud800{}=\u202e' + "y" * 5_000
    gpus = (
        "[]",
        "[" * 9_000,
        '{"memory_used": 1e999, "memory_total": 5}',
        '{"memory_used": 1, "memory_total": "NaN"}',
    )
    for number, gpu in enumerate(gpus):
        about = {"queues": "short,none,short", "gpu": gpu, "free_bytes": ("inf", "-1", "x", "1e400")[number]}
        ledger.announce_worker(f"odd{number}", about, 60)
    ledger.redis.sadd(f"{ledger.prefix}workers", odd.replace("\ud800", ""), "a\nb")
    for name in (odd.replace("\ud800", ""), "a\nb"):
        ledger.redis.set(f"{ledger.prefix}worker:{name}", json.dumps({"free_bytes": "7", "queues": odd}))
    ledger.redis.hset(ledger.job_key(claim.job_id), "worker", odd.replace("\ud800", "é"))
    found = samples(page(take_snapshot(ledger)).decode())
    assert value(found, "store_free_bytes", worker="a b") == 7
    assert value(found, "workers", queue="unknown", state="ready") == 2
    assert value(found, "workers", queue="short", state="ready") == 4
    names = {dict(labels).get("worker", "") for _, labels in found}
    assert max(map(len, names)) == 200


def used(text: str) -> set[str]:
    return set(re.findall(r"\bquartet_\w+", text))


def labels_used(expression: str) -> set[str]:
    inside = re.findall(r"\{([^{}]*)\}", expression)
    grouped = re.findall(r"(?:by|on) \(([^)]*)\)", expression)
    return {label for text in inside for label in re.findall(r"(\w+)(?:=|!=|=~)", text)} | {
        label.strip() for text in grouped for label in text.split(",")
    }


def test_rules_dashboard_and_page_of_the_manual_name_what_there_is(shown: str) -> None:
    found = samples(shown)
    names = {name for name, _ in found}
    labels = {label for _, pairs in found for label, _ in pairs}
    rules = YAML(typ="safe").load(ROOT / "deploy" / "prometheus" / "alerts.yaml")
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) >= 5
    panels = json.loads((ROOT / "deploy" / "grafana" / "quartet.json").read_text())["panels"]
    targets = [target for panel in panels for target in panel["targets"]]
    for expression in (*(rule["expr"] for rule in alerts), *(target["expr"] for target in targets)):
        assert used(expression), expression
        assert used(expression) <= names, expression
        assert labels_used(expression) <= labels, expression
    for text in (*map(str, alerts), *(target["legendFormat"] for target in targets)):
        shown_labels = set(re.findall(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}", text))
        assert shown_labels <= labels, text
    manual = (ROOT / "docs" / "monitoring.md").read_text()
    assert used(manual) == names
    assert {name for target in targets for name in used(target["expr"])} == names


def test_the_example_for_prometheus_finds_the_rules_and_the_port() -> None:
    folder = ROOT / "deploy" / "prometheus"
    example = YAML(typ="safe").load(folder / "prometheus.yaml")
    assert all((folder / name).is_file() for name in example["rule_files"])
    [scraped] = [
        target
        for job in example["scrape_configs"]
        for each in job["static_configs"]
        for target in each["targets"]
    ]
    compose = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]["exporter"]
    assert compose["ports"] == ["127.0.0.1:${EXPORTER_PORT:-9468}:9468"]
    assert scraped == "127.0.0.1:9468"
    assert compose["read_only"]
    assert compose["cap_drop"] == ["ALL"]
