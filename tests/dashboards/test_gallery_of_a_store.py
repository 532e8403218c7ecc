"""The gallery of an object store: it fetches what it is asked for into a folder of its own."""

from pathlib import Path

import pytest

from jobs.store.bucket_results import BucketResults
from jobs.store.objects.elsewhere import Elsewhere
from tests.dashboards.test_gallery import Gallery, running
from tests.store.folders import claim, finished, id_of


@pytest.mark.chaos
def test_jobs_of_other_hosts_are_listed_and_their_pages_and_models_fetched(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = BucketResults(tmp_path / "worker", objects=Elsewhere(s3), address=s3)
    job_id = id_of(1)
    staging = worker.stage(claim(job_id))
    made = finished(BucketResults(tmp_path / "made", objects=worker.objects, address=s3), job_id)
    (staging / "job.json").write_bytes((made.path / "job.json").read_bytes())
    (staging / "report.html").write_text("the report")
    (staging / "model.keras").write_bytes(b"weights")
    worker.publish(claim(job_id), 0o022)
    monkeypatch.setenv("QUARTET_STORE", s3)
    copy = tmp_path / "copy"
    copy.mkdir()
    with running(copy) as port:
        gallery = Gallery(copy, port)
        status, _, page = gallery.ask(b"/")
        assert (status, f"{job_id}/report.html".encode() in page) == (200, True)
        assert gallery.ask(f"/{job_id}/report.html".encode())[::2] == (200, b"the report")
        assert not (copy / job_id / "model.keras").exists()
        assert gallery.ask(f"/{job_id}/model.keras".encode())[::2] == (200, b"weights")
        assert gallery.ask(f"/{id_of(2)}/report.html".encode())[0] == 404
        assert gallery.ask(b"/.changes-seen.json")[0] == 404
