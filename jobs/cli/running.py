"""Commands that make jobs and follow them: run, submit, up, watch."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.common import Handler, job_argument, print_json
from jobs.cli.usage import Command, Group
from jobs.errors import InvalidInput, InvalidJob

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.job import Job
    from jobs.spec import JobSpec

_JSON = click.Option(["--json", "as_json"], is_flag=True, help="print JSON")
_WATCH = click.Option(["--watch"], is_flag=True, help="follow the job until it ends")


class _JobCommands(Group):
    """`submit` and `run`: their commands are made from a model's spec, loaded when one is called."""

    chooses = "model"

    def __init__(self, name: str, handler: Handler, extra: list[click.Parameter], summary: str) -> None:
        """`extra` are the command's own options."""
        super().__init__(name=name, help=summary, subcommand_metavar="MODEL ACTION [OPTIONS]")
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
    from jobs.local.supervisor import one_worker, stopped_by_signals

    as_json = given.pop("as_json")
    client = Client()
    spec = _make_spec(client, model, action, given)
    _check_needed_jobs(client, spec)
    with stopped_by_signals(), one_worker(client.settings) as service:
        client = Client(service.settings)
        job = client.submit_spec(spec)
        try:
            job = _follow(client, job.id, service.check)
        except KeyboardInterrupt:
            click.echo("stopping; the job's checkpoint is kept", err=True)
            client.cancel(job.id)
            job = _follow(client, job.id, service.check)
    _end_with(job, as_json)


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

    watch, as_json = given.pop("watch"), given.pop("as_json")
    client = Client()
    job = client.submit_spec(_make_spec(client, model, action, given))
    if watch:
        click.echo(job.id, err=as_json)
        _end_with(_follow(client, job.id), as_json)
    elif as_json:
        print_json(job.as_dict())
    else:
        click.echo(job.id)


def _make_spec(client: "Client", model: str, action: str, given: dict[str, Any]) -> "JobSpec":
    from jobs.cli.options import split_parameters

    parameters, fields = split_parameters(given)
    return client.make_spec(model, action, parameters=parameters, **{"source": None, **fields})


def _follow(client: "Client", job_id: str, on_update: Callable[[], None] = lambda: None) -> "Job":
    from jobs.cli.progress import show_progress

    return show_progress(client.watch(job_id), on_update)


def _end_with(job: "Job", as_json: bool) -> None:
    """Print the path of the report; a job that did not succeed ends the command with its reason."""
    if as_json:
        print_json(job.as_dict())
    elif job.report:
        click.echo(job.report)
    job.check_success()


run_command = _JobCommands("run", _run, [_JSON], "Run one job locally, with no services to start.")
submit_command = _JobCommands("submit", _submit, [_WATCH, _JSON], "Queue a job and print its id.")


@click.command("up", cls=Command)
@click.option(
    "--workers", default="1", metavar="N", help="how many workers [an integer from 1 to 64; default 1]"
)
def up_command(workers: str) -> None:
    """Run Redis and workers on this machine until Ctrl-C."""
    import time

    from jobs.local.supervisor import kept_service, stopped_by_signals
    from jobs.settings import read_settings
    from jobs.wording import counted

    count, settings = _worker_count(workers), read_settings()
    with stopped_by_signals(), kept_service(settings, count) as service:
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
    _end_with(_follow(client, client.resolve(job)), as_json=False)
