"""What building the images costs: each is built once, and what has not changed is not fetched or installed again."""

import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests.containers.fleet import another_host
from tests.support.compose_project import ROOT, Project

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

DOWNLOAD = re.compile(r"Downloading \S+\.whl \(")
"""Of a wheel, not of its metadata."""


def canonical(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def build(project: Project, service: str) -> str:
    """Build a service's image, print how long that takes, and return what BuildKit says of each step."""
    began = time.monotonic()
    done = project.run("docker", "compose", "--progress", "plain", "build", service, timeout=800)
    sys.stdout.write(f"\n{service}: built in {time.monotonic() - began:.1f} s\n")
    return done.stdout + done.stderr


def steps(said: str) -> dict[str, bool]:
    """Each instruction of the Dockerfile, and whether its result was there already."""
    names = dict(re.findall(r"^#(\d+) \[\S+ (\w+ +\d+/\d+\] .*)$", said, re.MULTILINE))
    cached = set(re.findall(r"^#(\d+) CACHED$", said, re.MULTILINE))
    return {name: number in cached for number, name in names.items()}


def test_each_image_is_built_once_and_none_is_left_without_a_tag(quartet: Project) -> None:
    mine = ("image", "ls", "--filter", f"label=com.docker.compose.project={quartet.name}")
    shown = quartet.docker(*mine, "--format", "{{.Repository}}:{{.Tag}} {{.Size}}").splitlines()
    sys.stdout.write("\n".join(["", *shown, ""]))
    worker, _ = quartet.images
    assert [line.split()[0] for line in shown] == [worker]
    assert {quartet.inspect(name)["Config"]["Image"] for name in quartet.containers("worker-cpu")} == {worker}


def test_an_image_names_its_version_and_no_user_of_this_host(quartet: Project) -> None:
    [found] = json.loads(quartet.docker("image", "inspect", quartet.images[0]))
    labels = found["Config"]["Labels"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert labels["org.opencontainers.image.version"] == project["version"]
    assert found["Config"]["User"] == "1000:1000", "a number, as Kubernetes' runAsNonRoot needs"
    assert str(quartet.uid) not in json.dumps(found["Config"])
    # Any user may write where volumes are mounted, and nothing of what pip downloaded came along.
    shell = ("run", "--rm", "--entrypoint", "sh", "--user")
    script = "touch /results/x /data/x /gpu-locks/x /cuda-cache/x"
    quartet.docker(*shell, "4321:4321", quartet.images[0], "-c", script)
    script = "find /wheelhouse /tmp /root -type f ! -path '/root/.[bp]*'"
    assert quartet.docker(*shell, "0:0", quartet.images[0], "-c", script) == ""


def test_a_worker_that_may_not_write_to_the_results_folder_says_so_and_ends(quartet: Project) -> None:
    stranger = ("--user", "4321:4321", "--volume", f"{quartet.folder}/results:/results")
    ended = quartet.run("docker", "run", "--rm", *stranger, quartet.images[0], check=False)
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "quartet-worker: QUARTET_RESULTS_DIR: expected a folder that can be made and written to, got /results "
        "(permission denied)",
        "hint: this worker is user 4321, group 4321; give it the folder by `chown`",
    ]


def test_the_bill_of_materials_lists_what_pip_installed(quartet: Project) -> None:
    made = "dist/requirements.cdx.json"
    tools = f"BIN={Path(sys.executable).parent}"
    subprocess.run(["make", "--old-file", ".venv/.ready", tools, made], cwd=quartet.folder, check=True)
    listed = json.loads((quartet.folder / made).read_text())["components"]
    packages = {canonical(each["name"]): each["version"] for each in listed}
    assert all(each["externalReferences"][0]["hashes"] for each in listed)
    shown = quartet.docker("run", "--rm", quartet.images[0], "pip", "list", "--format", "json")
    installed = {canonical(each["name"]): each["version"] for each in json.loads(shown)}
    own = {"pip", "quartet"}
    assert {name: packages.get(name) for name in installed.keys() - own} == {
        name: version for name, version in installed.items() if name not in own
    }


def test_a_change_of_the_code_installs_no_package_again(quartet: Project) -> None:
    with another_host(quartet, "code") as clone:
        with (clone.folder / "jobs" / "__init__.py").open("a") as file:
            file.write(f"# changed at {time.time()}\n")
        clone.environment["REVISION"] = "c0ffee"
        done = steps(build(clone, "worker-image"))
        [found] = json.loads(clone.docker("image", "inspect", clone.images[0]))
    assert found["Config"]["Labels"]["org.opencontainers.image.revision"] == "c0ffee"
    packages = [name for name in done if name.startswith("worker ") and "requirements" in name]
    assert len(packages) == 4, done
    assert all(done[name] for name in packages), done
    assert not all(done.values()), "the code has changed"


def test_a_changed_lock_downloads_no_wheel_that_the_builder_has(quartet: Project) -> None:
    build(quartet, "dashboards-image")
    before = quartet.docker("image", "inspect", "--format", "{{.Id}}", quartet.images[1])
    lock = quartet.folder / "requirements-dashboards.lock"
    text = lock.read_text()
    lock.write_text(f"{text}\n# changed at {time.time()}\n")
    try:
        said = build(quartet, "dashboards-image")
    finally:
        lock.write_text(text)
    quartet.run("docker", "image", "rm", before, check=False)
    packages = len(re.findall(r"^[a-z][\w.-]*==", text, re.MULTILINE))
    assert said.count("File was already downloaded") > packages / 2, said  # some are for other systems
    assert not DOWNLOAD.search(said), said
