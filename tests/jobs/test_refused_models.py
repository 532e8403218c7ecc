"""A model that breaks its contract is refused when it is loaded, in a sentence that names what is missing."""

import pytest

from jobs.errors import InvalidModel
from jobs.models import all_parameters, import_part
from tests.jobs.installed import SPEC, Site


def test_a_package_with_another_name_than_its_model_is_refused(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waves"}, sounds__waves__spec=SPEC)
    assert site.refusal() == {
        "kind": "InvalidModel",
        "field": "model waveform",
        "expected": "a package whose last part is 'waveform'",
        "given": "'sounds.waves'",
        "hint": None,
    }


SHOWN = "CONTRIBUTING.md shows a whole model"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            SPEC.replace("class Train(", "class Training2("),
            "a class Train, a subclass of jobs.parameters.Parameters",
        ),
        (
            SPEC.replace("class Generate(", "class Sample("),
            "a class Generate, a subclass of jobs.parameters.Parameters",
        ),
        (
            "class Train: ...\nclass Evaluate: ...\nclass Generate: ...\n",
            "a class Train, a subclass of jobs.parameters.Parameters",
        ),
        (
            SPEC + "\nTrain = Train()\n",
            "a class Train, a subclass of jobs.parameters.Parameters",
        ),
        (
            SPEC.replace("class Evaluate(Evaluation,", "class Evaluate(Generation,"),
            "a class Evaluate whose action is 'evaluate'",
        ),
        (
            SPEC.replace("class Train(Training, OnSound)", "class Train(OnSound)"),
            "a class Train whose action is 'train'",
        ),
        (
            SPEC + "\nfrom worker.tasks.textgen.spec import Generate\n",
            "a class Generate of its own, not that of worker.tasks.textgen.spec",
        ),
        (
            SPEC.replace("datasets = (WAVES,)", 'datasets = ("waves",)'),
            "a class Train whose datasets are of jobs.datasets.Dataset",
        ),
        (
            SPEC.replace('forms = (Form("a .wav file", (".wav",)),)', 'forms = ("a .wav file",)'),
            "a class Train whose forms are of jobs.datasets.Form",
        ),
        (
            SPEC.replace("datasets = (WAVES,)", "datasets = ()"),
            "a class Train with datasets, of which the first is the default",
        ),
    ],
)
def test_a_spec_that_lacks_part_of_the_contract_is_refused(site: Site, spec: str, expected: str) -> None:
    assert spec != SPEC
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=spec)
    assert site.refusal() == {
        "kind": "InvalidModel",
        "field": "model waveform, spec.py",
        "expected": expected,
        "given": "none",
        "hint": SHOWN,
    }


def test_a_package_without_a_spec_is_refused(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__task="")
    found = site.refusal()
    assert (found["kind"], found["field"]) == ("InvalidModel", "model waveform, spec.py")
    assert found["expected"] == "a module spec.py in the package sounds.waveform"
    assert (found["given"], found["hint"]) == ("none", SHOWN)


def test_an_entry_point_that_leads_nowhere_is_refused(site: Site) -> None:
    site.install("sounds", {"waveform": "gone.waveform"})
    assert site.refusal()["expected"] == "a module spec.py in the package gone.waveform"


def test_a_module_that_the_spec_itself_lacks_is_not_called_a_missing_spec(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec="import no_such_module")
    assert site.refusal() == {
        "kind": "InvalidModel",
        "field": "model waveform, spec.py",
        "expected": "a module that can be imported",
        "given": "ModuleNotFoundError (No module named 'no_such_module')",
        "hint": None,
    }


def test_a_spec_that_ends_the_process_is_refused(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec="raise SystemExit(5)")
    assert site.refusal()["given"] == "SystemExit (5)"


@pytest.mark.parametrize("name", ["name", "seed", "watch"])
def test_a_parameter_may_not_take_the_name_of_an_option_of_every_job(site: Site, name: str) -> None:
    site.install(
        "sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=SPEC.replace("rate:", f"{name}:")
    )
    assert site.refusal() == {
        "kind": "InvalidModel",
        "field": "model waveform, spec.py",
        "expected": "a class Train whose parameters leave the options of every job alone",
        "given": f"a parameter {name}",
        "hint": None,
    }


def test_help_shows_the_other_models_beside_a_refused_one(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec="raise RuntimeError")
    code = (
        "from click.testing import CliRunner\nfrom jobs.cli.main import quartet\n"
        "print(json.dumps(CliRunner().invoke(quartet, ['submit', '--help']).output))"
    )
    shown = site.python(code)
    assert "Train 784 → 32 → 784 to reproduce its input." in shown
    assert "Refused: this model breaks its contract." in shown


def test_a_spec_that_is_no_python_is_refused(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec="class Train(:\n")
    found = site.refusal()
    assert found["expected"] == "a module that can be imported"
    assert found["given"].startswith("SyntaxError (")


def test_two_packages_of_one_name_are_refused_and_both_are_named(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=SPEC)
    site.install("noises", {"waveform": "noises.waveform"}, noises__waveform__spec=SPEC)
    found = site.refusal()
    assert (found["kind"], found["field"]) == ("InvalidModel", "model waveform")
    assert found["expected"] == "one package"
    assert found["given"] in (
        "sounds.waveform and noises.waveform",
        "noises.waveform and sounds.waveform",
    )
    assert found["hint"] == "uninstall all but one; the group of entry points is quartet.models"


def test_a_refused_model_leaves_all_others_alone(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec="raise RuntimeError")
    site.install("noises", {"denoiser": "noises.denoiser"}, noises__denoiser__spec=SPEC)
    code = (
        "from jobs.models import all_parameters, datasets, model_names\n"
        "from jobs.spec import JobSpec\n"
        "kinds = sorted({kind.model for kind in all_parameters()})\n"
        "JobSpec.make('autoencoder', 'train')\n"
        "print(json.dumps([list(model_names()), kinds, len(datasets())]))"
    )
    assert site.python(code) == [
        ["autoencoder", "denoiser", "sentiment", "textgen", "waveform"],
        ["autoencoder", "sentiment", "textgen"],
        8,
    ]


def test_a_package_may_not_take_the_name_of_a_built_in_model(site: Site) -> None:
    site.install("sounds", {"denoiser": "sounds.denoiser"}, sounds__denoiser__spec=SPEC)
    assert site.refusal("denoiser")["given"] == "worker.tasks.denoiser and sounds.denoiser"


def test_a_package_that_is_announced_twice_alike_is_one(site: Site) -> None:
    for distribution in ("sounds", "sounds2"):
        site.install(distribution, {"waveform": "sounds.waveform"}, sounds__waveform__spec=SPEC)
    code = "from jobs.models import packages\nprint(json.dumps(packages()['waveform']))"
    assert site.python(code) == ["sounds.waveform"]


DATASETS = "from jobs.models import datasets\nprint(json.dumps(sorted(datasets())))"


@pytest.mark.parametrize(("name", "model"), [("digits", "autoencoder"), ("imdb", "sentiment")])
def test_a_datasets_name_that_another_dataset_has_is_refused(site: Site, name: str, model: str) -> None:
    spec = SPEC.replace('name="waves"', f'name="{name}"')
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec=spec)
    assert site.refusal() == {
        "kind": "InvalidModel",
        "field": "model waveform",
        "expected": "names of datasets that no other model uses",
        "given": f"{name!r}, which model {model} uses",
        "hint": None,
    }


def test_the_built_in_models_give_each_dataset_a_name_of_its_own() -> None:
    known = {dataset for kind in all_parameters() for dataset in kind.datasets}
    assert len({dataset.name for dataset in known}) == len(known)


def test_two_models_may_read_the_same_dataset(site: Site) -> None:
    site.install(
        "sounds",
        {"waveform": "sounds.waveform", "noise": "sounds.noise"},
        sounds__waveform__spec=SPEC,
        sounds__noise__spec=SPEC,
    )
    assert site.python(DATASETS) == [
        "digits",
        "fashion-mnist",
        "imdb",
        "kmnist",
        "mnist",
        "pydoc",
        "shakespeare",
        "toy-reviews",
        "waves",
    ]


def test_a_broken_package_leaves_the_other_models_usable(site: Site) -> None:
    site.install("sounds", {"waveform": "sounds.waveform"}, sounds__waveform__spec="import numpy")
    code = (
        "from jobs.spec import JobSpec\n"
        "from jobs.data_check import check_data\n"
        "kind = type(JobSpec.make('denoiser', 'train').parameters)\n"
        "print(json.dumps(check_data(kind, 'digits')))"
    )
    assert site.python(code) == "digits"


def test_a_part_that_a_model_does_not_have_is_named() -> None:
    with pytest.raises(InvalidModel) as caught:
        import_part("denoiser", "poems")
    assert str(caught.value) == (
        "model denoiser, poems.py: expected a module poems.py in the package worker.tasks.denoiser, got none"
    )
