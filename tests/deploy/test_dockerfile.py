"""What Dockerfile.gpu and the locks repeat of other files is the same there."""

import re
import tomllib

from tests.deploy.rendering import ROOT


def test_the_images_have_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(r"^ARG VERSION=(.*)$", (ROOT / "Dockerfile.gpu").read_text(), re.MULTILINE)
    assert versions == [project["version"]] * 2


def test_the_lock_of_nvidias_libraries_is_part_of_that_with_cuda() -> None:
    def pins(name: str) -> dict[str, list[str]]:
        """Each pinned package, with its hashes."""
        blocks = re.split(r"^(?=[a-zA-Z0-9])", (ROOT / name).read_text(), flags=re.MULTILINE)
        return {block.partition(" ")[0]: re.findall(r"--hash=\S+", block) for block in blocks if block}

    libraries = {pin: hashes for pin, hashes in pins("requirements-gpu.lock").items() if "-cu12==" in pin}
    assert len(libraries) > 10
    assert pins("requirements-nvidia.lock") == libraries
