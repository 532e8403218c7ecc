"""Commands that make jobs and follow them: run, submit, up, watch."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.common import (
    Handler,
    job_argument,
    print_json,
    shown_folder,
    tell_notes,
    tell_other_store,
    tell_reused,
)
from jobs.cli.storing import STORING, decide_on_storing
from jobs.cli.usage import Command, Group
from jobs.errors import InvalidInput, InvalidJob

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.job import Job
    from jobs.spec import JobSpec

_JSON = click.Option(["--json", "as_json"], is_flag=True, help="print JSON")
_WATCH = click.Option(["--watch"], is_flag=True, help="follow the job until it ends")
_FRESH = click.Option(["--fresh"], is_flag=True, help="run it even if an equal job has succeeded")
_TAG = click.Option(
    ["--tag", "tags"], multiple=True, metavar="TAG", help="a word to find it by; may be given several times"
)


class _JobCommands(Group):
    """`submit` and `run`: their commands are made from a model's spec, loaded when one is called."""

    chooses = "model"

    def __init__(
        self, name: str, handler: Handler, extra: list[click.Parameter], summary: str, **settings: Any
    ) -> None:
        """`extra` are the options of each action, `settings` those of click for the command without one."""
        super().__init__(name=name, help=summary, subcommand_metavar="MODEL ACTION [OPTIONS]", **settings)
        self._handler, self._extra = handler, extra

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All models."""
        from jobs.models import model_names

        return list(model_names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The actions of a model.

        Raises:
            InvalidModel: the model's wing lacks part of its contract.
        """
        from jobs.cli.options import model_commands

        return model_commands(cmd_name, self._handler, self._extra)


def _run(model: str, action: str, given: dict[str, Any]) -> None:
    from jobs.client import Client
    from jobs.local.results_check import check_results_folder
    from jobs.local.supervisor import stopped_by_signals, temporary_service

    as_json, fresh = given.pop("as_json"), given.pop("fresh")
    client = Client(redis_is_optional=True)
    client.job_data.sends = False  # its worker is here, wherever those of QUARTET_REDIS_URL are
    spec, _ = _make_spec(client, model, action, given)
    _check_needed_jobs(client, spec)
    check_results_folder(client.results.root)
    if not fresh and client.find_equal(spec) is not None:
        _show_reused(client, client.submit_spec(spec), as_json)
        return
    with stopped_by_signals(), temporary_service(client.settings) as service:
        client = Client(service.settings)
        job = client.submit_spec(spec, fresh=True)
        follow = partial(_follow, client, job.id, service.check, workers_come=True)
        job = _run_to_its_end(client, job.id, follow)
        _end_with(client, job, as_json)  # before Redis and the worker are stopped, which takes a second


def _show_reused(client: "Client", job: "Job", as_json: bool) -> None:
    """Show what came of a job that need not be run, as at the end of one that was."""
    from jobs.showing.progress import show_progress

    tell_reused(job)
    _end_with(client, show_progress([(job, {})]), as_json)


def _run_to_its_end(client: "Client", job_id: str, follow: Callable[[], "Job"]) -> "Job":
    """Follow the job, and cancel it at the first interrupt.

    Raises:
        KeyboardInterrupt: it was interrupted once more before it had ended.
    """
    try:
        return follow()
    except (KeyboardInterrupt, OSError):  # the latter where the terminal was closed
        _cancel(client, job_id)
    try:
        return follow()
    except KeyboardInterrupt:
        said = f"{job_id} stays unfinished; `quartet up` and then `quartet rebuild` go on with it"
        click.echo(said, err=True)
        raise


def _cancel(client: "Client", job_id: str) -> None:
    """Cancel the job that a person interrupts, and say what becomes of it."""
    from jobs.errors import JobConflict
    from jobs.ledger.job_record import ENDED

    with suppress(JobConflict):  # it has just ended
        job = client.job(job_id)
        if job.state in ENDED:
            return
        client.cancel(job_id)  # before a word to a terminal that may be closed
        begun = {"running": "; the job keeps its checkpoint" if job.action == "train" else ""}
        click.echo(f"stopping{begun.get(job.state, '; the job had not started')}", err=True)


def _check_needed_jobs(client: "Client", spec: "JobSpec") -> None:
    """Refuse a job that needs one without a folder: the private Redis of `quartet run` knows no others."""
    from jobs.wording import with_article

    for field, (job_id, model) in spec.needs().items():
        if client.results.find(job_id) is None:
            raise InvalidJob(
                field,
                expected=f"{with_article(f'{model} train')} job that has succeeded",
                given=f"job {job_id}, which has not ended",
                hint="`quartet submit` queues a job that waits for another one",
            )


def _submit(model: str, action: str, given: dict[str, Any]) -> None:
    from jobs.client import Client

    watch, as_json, fresh = given.pop("watch"), given.pop("as_json"), given.pop("fresh")
    client = Client()
    decide_on_storing(client, in_place=given.pop("in_place"), yes=given.pop("yes"))
    spec, notes = _make_spec(client, model, action, given)
    job = client.submit_spec(spec, fresh=fresh, notes=notes)
    tell_reused(job)
    tell_other_store(client)
    if watch:
        click.echo(job.id, err=as_json)
        _watch(client, job.id, as_json)
    elif as_json:
        print_json(job.as_dict() | {"reused": job.reused})
    else:
        click.echo(job.id)


@click.pass_context
def _submit_file(context: click.Context, /, file: str | None, as_json: bool, **flags: bool) -> None:
    """`quartet submit --file`: queue the jobs of a file, all of them or none."""
    if context.invoked_subcommand is not None:
        for flag in [f"--{name.replace('_', '-')}" for name, is_set in flags.items() if is_set]:
            raise InvalidInput("arguments", expected=f"{flag} after the action", given=f"{flag} before it")
        if file is not None:
            given = f"{context.invoked_subcommand!r}"
            raise InvalidInput("arguments", expected="nothing beside --file", given=given)
        return
    if file is None:
        raise InvalidInput("model", expected="a model's name, or --file", given="none")
    from jobs.client import Client
    from jobs.specs.job_file import read_job_file

    client = Client()
    fresh = flags.pop("fresh")
    decide_on_storing(client, **flags)
    jobs = []
    plan = client.plan(read_job_file(Path(file)), fresh=fresh)
    tell_notes(note for planned in plan for note in planned.notes)
    for planned in plan:
        jobs.append(client.submit_planned(planned))
        tell_reused(jobs[-1])
        if not as_json:
            click.echo(jobs[-1].id)
    tell_other_store(client)
    if as_json:
        print_json([job.as_dict() | {"reused": job.reused} for job in jobs])


def _make_spec(
    client: "Client", model: str, action: str, given: dict[str, Any]
) -> tuple["JobSpec", list[str]]:
    """The job, and the notes on its data, which have been printed."""
    from jobs.cli.options import split_parameters

    notes: list[str] = []
    parameters, fields = split_parameters(given)
    spec = client.make_spec(
        model, action, parameters=parameters, note=notes.append, **{"source": None, **fields}
    )
    tell_notes(notes)
    return spec, notes


def _follow(
    client: "Client", job_id: str, on_update: Callable[[], None] = lambda: None, *, workers_come: bool = False
) -> "Job":
    from jobs.showing.progress import show_progress
    from jobs.showing.waits import Followed

    return show_progress(client.watch(job_id), on_update, Followed(client, workers_come=workers_come))


def _watch(client: "Client", job_id: str, as_json: bool) -> None:
    """Follow a job that workers of others do."""
    try:
        job = _follow(client, job_id)
    except KeyboardInterrupt:
        click.echo(f"the job goes on; `quartet cancel {job_id}` stops it", err=True)
        raise
    _end_with(client, job, as_json)


def _end_with(client: "Client", job: "Job", as_json: bool) -> None:
    """Print the path of the report; a job that did not succeed ends the command with its reason."""
    if as_json:
        print_json(job.as_dict())
    elif job.report:
        click.echo(shown_folder(Path(job.report), client.settings))
    job.check_success()


_FILE_HELP = (
    "queue the jobs of a file, all or none: on each line one as JSON, with the keys model, action, "
    "parameters, data, from, seed, time_limit, priority, name and tags; `from` may be the name of a line "
    "above"
)

run_command = _JobCommands(
    "run", _run, [_TAG, _FRESH, _JSON], "Run one job locally, with no services to start."
)
submit_command = _JobCommands(
    "submit",
    _submit,
    [_TAG, _FRESH, *STORING, _WATCH, _JSON],
    "Queue a job and print its id, or with --file many jobs.",
    params=[
        click.Option(["--file"], metavar="FILE", help=_FILE_HELP),
        _FRESH,
        *STORING,
        _JSON,
    ],
    callback=_submit_file,
    invoke_without_command=True,
    no_args_is_help=True,
)


@click.command("up", cls=Command)
@click.option(
    "--workers", default="1", metavar="N", help="how many workers [an integer from 1 to 64; default 1]"
)
def up_command(workers: str) -> None:
    """Run Redis and workers on this machine until Ctrl-C."""
    import time

    from jobs.local.results_check import check_results_folder
    from jobs.local.supervisor import kept_service, stopped_by_signals
    from jobs.settings import read_settings
    from jobs.wording import counted

    def report(what: str) -> None:
        click.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {what}")

    count, settings = _worker_count(workers), read_settings()
    check_results_folder(settings.results_dir.absolute())
    with stopped_by_signals(), kept_service(settings, count, report) as service:
        address = service.settings.redis_address()
        click.echo(f"{counted(count, 'worker')} on {address}; logs in {settings.state_dir}")
        click.echo("`quartet submit` in another terminal uses them; Ctrl-C stops them")
        try:
            while True:
                time.sleep(0.5)
                service.check()
        except KeyboardInterrupt:
            click.echo("stopping; running jobs write a checkpoint and resume at the next `quartet up`")


def _worker_count(text: str) -> int:
    from jobs.wording import shown

    if not (text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= 64):
        raise InvalidInput("workers", expected="an integer from 1 to 64", given=shown(text))
    return int(text)


@click.command("watch", cls=Command)
@job_argument
def watch_command(job: str) -> None:
    """Follow a job until it ends."""
    from jobs.client import Client

    client = Client()
    _watch(client, client.resolve(job), as_json=False)
