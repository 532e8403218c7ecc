"""Every model is found by its folder, or by the entry point of another package, and nothing more is imported."""

import pytest

from jobs.errors import InvalidJob
from jobs.models import datasets, model_names, packages, parameters_of
from tests.jobs.installed import SPEC, Site

BUILT_IN = list(model_names())


def test_a_model_of_another_package_is_found_and_its_jobs_are_parsed(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=SPEC)
    assert site.python("from jobs.models import model_names\nprint(json.dumps(model_names()))") == [
        *BUILT_IN,
        "waveform",
    ]
    found = site.python(
        "from jobs.spec import JobSpec\n"
        "from jobs.data_check import check_data\n"
        "spec = JobSpec.make('waveform', 'train', parameters={'rate': '8000'})\n"
        "kind = type(spec.parameters)\n"
        "heavy = sorted({'numpy', 'tensorflow', 'keras', 'matplotlib', 'celery'} & set(sys.modules))\n"
        "print(json.dumps([spec.model_dump(mode='json'), kind.model, check_data(kind, 'waves'), heavy]))"
    )
    assert found[0]["parameters"] == {"epochs": 20, "learning_rate": 0.004, "rate": 8000}
    assert found[1:] == ["waveform", "waves", []]


def test_a_wrong_job_of_a_model_of_another_package_gets_one_sentence(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=SPEC)
    make = "from jobs.spec import JobSpec\nJobSpec.make('waveform', 'train', parameters={'rate': 1})"
    assert site.python(make) == ["InvalidJob", "rate", "an integer ≥ 1,000", "1", None]
    check = (
        "from jobs.data_check import check_data\nfrom jobs.models import parameters_of\n"
        "check_data(parameters_of('waveform', 'train'), 'mnist')"
    )
    assert site.python(check) == [
        "InvalidData",
        "data",
        "waves or a .wav file",
        "'mnist', which holds images",
        None,
    ]


def test_the_names_of_all_models_are_known_without_importing_one(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec="raise SystemExit(9)")
    code = (
        "from jobs.models import model_names\nprint(json.dumps([*model_names(), 'pydantic' in sys.modules]))"
    )
    assert site.python(code) == [*BUILT_IN, "waveform", False]


def test_every_built_in_model_has_its_three_classes() -> None:
    assert dict(packages()) == {model: (f"worker.tasks.{model}",) for model in model_names()}
    for model in model_names():
        for action in ("train", "evaluate", "generate"):
            kind = parameters_of(model, action)
            assert (kind.model, kind.action) == (model, action)
            assert kind.__doc__


def test_an_unknown_model_or_action_gets_one_sentence() -> None:
    with pytest.raises(InvalidJob) as caught:
        parameters_of("denoisr", "train")
    assert str(caught.value) == f"model: expected one of {', '.join(model_names())}, got 'denoisr'"
    assert caught.value.hint == "did you mean 'denoiser'?"
    with pytest.raises(InvalidJob) as caught:
        parameters_of("denoiser", "evaluat")
    assert str(caught.value) == "action: expected one of train, evaluate, generate, got 'evaluat'"
    assert caught.value.hint == "did you mean 'evaluate'?"


def test_what_is_known_of_models_and_datasets_cannot_be_changed() -> None:
    for known in (packages(), datasets()):
        with pytest.raises(TypeError):
            known["x"] = "y"  # type: ignore[index]
