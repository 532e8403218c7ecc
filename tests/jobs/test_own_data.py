"""A model's own check of a person's data, at submit: what it may refuse, and that its faults refuse nothing."""

from pathlib import Path

from tests.jobs.installed import SPEC, Site

CHECK = """
from pathlib import Path
from jobs.errors import InvalidData


def check_own_data(path: Path, action: str) -> None:
    if path.read_bytes() == b"noise":
        raise InvalidData(str(path), expected="sound", given=f"noise to {action} with")
"""

SUBMIT = """
from jobs.data_check import check_data
from jobs.models import parameters_of
value = check_data(parameters_of('waveform', 'train'), '{}')
print(json.dumps([value, 'numpy' in sys.modules, 'sounds.waveform.own_data' in sys.modules]))
"""


def install(site: Site, own_data: str | None) -> None:
    more = {} if own_data is None else {"sounds__waveform__own_data": own_data}
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=SPEC, **more)


def test_a_models_own_check_refuses_a_file_before_the_job_is_queued(site: Site, tmp_path: Path) -> None:
    install(site, CHECK)
    path = tmp_path / "a.wav"
    path.write_bytes(b"noise")
    refused = ["InvalidData", str(path), "sound", "noise to train with", None]
    assert site.python(SUBMIT.format(path)) == refused
    path.write_bytes(b"music")
    assert site.python(SUBMIT.format(path)) == [str(path), False, True]


def test_what_a_check_notes_is_said_once(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"music")
    said = "return ['resampled', 'mono', 'resampled']"
    install(site, CHECK.replace("-> None:", "-> list[str]:") + f"    {said}\n")
    code = SUBMIT.replace("value =", "notes = []\nvalue =").replace(
        "'{}'", f"{str(path)!r}, note=notes.append"
    )
    assert site.python(code.replace("[value,", "[notes,"))[0] == ["resampled", "mono"]


def test_a_job_without_own_data_loads_no_check(site: Site) -> None:
    install(site, f"import numpy{CHECK}")
    assert site.python(SUBMIT.format("waves")) == ["waves", False, False]


FAULTS = {
    "none": (None, ""),
    "nothing": ("x = 1", ""),
    "lacking": ("import a_package_that_a_client_lacks" + CHECK, ""),
    "lacking_later": ("def check_own_data(path, action):\n    import a_package_that_a_client_lacks", ""),
    "fault": ("def check_own_data(path, action):\n    return 1 / 0", "ZeroDivisionError: division by zero"),
    "arguments": ("def check_own_data(path):\n    pass", "TypeError"),
    "fault_at_once": ("1 / 0", "ZeroDivisionError (division by zero)"),
    "one_text": (
        "def check_own_data(path, action):\n    return 'resampled'",
        "TypeError: expected sentences",
    ),
    "numbers": ("def check_own_data(path, action):\n    return [1, 2]", "TypeError: expected sentences"),
    "no_python": ("def check_own_data(", "SyntaxError"),
}
"""Model -> what is in its own_data.py, and what is logged of it."""


def test_whatever_is_wrong_with_the_check_itself_refuses_no_job(site: Site, tmp_path: Path) -> None:
    files = {f"sounds__{model}__spec": SPEC.replace("waves", model) for model in FAULTS}
    files |= {f"sounds__{model}__own_data": text for model, (text, _) in FAULTS.items() if text is not None}
    site.install("sounds", {model: f"sounds.{model}" for model in FAULTS}, **files)
    path = tmp_path / "a.wav"
    path.write_bytes(b"noise")
    code = f"""
import io, logging
from jobs.data_check import check_data
from jobs.models import parameters_of
said = {{}}
for model in {list(FAULTS)!r}:
    stream = io.StringIO()
    logging.basicConfig(stream=stream, format="%(message)s", force=True)
    notes = []
    checked = check_data(parameters_of(model, "train"), {str(path)!r}, note=notes.append)
    said[model] = [checked, stream.getvalue(), notes]
print(json.dumps(said))
"""
    found = site.python(code)
    for model, (_, said) in FAULTS.items():
        checked, log, notes = found[model]
        assert (checked, notes) == (str(path), [])
        assert (said in log and log.count("\n") == 1) if said else not log, log
