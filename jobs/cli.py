"""The command line. A thin shell: each command imports what it needs when it is called."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from jobs.errors import DamagedFolder, JobFailed, QuartetError

if TYPE_CHECKING:
    from jobs.client import Client, Job
    from jobs.spec import JobSpec


class _JobCommands(click.Group):
    """`submit` and `run`: their commands are made from the job's spec, loaded when one is called."""

    def __init__(self, handler: Any, extra: list[click.Parameter], **settings: Any) -> None:
        """`extra` are the verb's own options."""
        super().__init__(**settings)
        self._handler, self._extra = handler, extra

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All models."""
        from jobs.spec import MODELS

        return list(MODELS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The actions of a model."""
        from jobs.cli_options import model_commands

        return model_commands(cmd_name, self._handler, self._extra)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="quartet", message="quartet %(version)s")
def quartet() -> None:
    """Train, evaluate and sample four Keras models as batch jobs.

    Start with:  quartet run autoencoder train --data digits
    """


def _run(model: str, action: str, given: dict[str, Any]) -> None:
    from jobs.client import Client
    from jobs.errors import InvalidJob
    from jobs.local import one_worker, stopped_by_signals

    as_json = given.pop("as_json")
    client = Client()
    spec = _spec(client, model, action, given)
    for field, (job_id, _) in spec.needs().items():
        if client.results.find(job_id) is None:
            raise InvalidJob(
                f"{field}: job {job_id} has not ended; allowed here: a training that has succeeded"
            )
    with stopped_by_signals(), one_worker(client.settings) as service:
        client = Client(service.settings)
        job = client.submit_spec(spec)
        try:
            job = _followed(client, job.id, service.check)
        except KeyboardInterrupt:
            click.echo("stopping; what there is will be kept", err=True)
            client.cancel(job.id)
            job = _followed(client, job.id, service.check)
    _end_with(job, as_json)


def _submit(model: str, action: str, given: dict[str, Any]) -> None:
    from jobs.client import Client

    watch, as_json = given.pop("watch"), given.pop("as_json")
    client = Client()
    job = client.submit_spec(_spec(client, model, action, given))
    if watch:
        click.echo(job.id, err=as_json)
        _end_with(_followed(client, job.id), as_json)
    else:
        _print_json(job.as_dict()) if as_json else click.echo(job.id)


def _spec(client: "Client", model: str, action: str, given: dict[str, Any]) -> "JobSpec":
    from jobs.cli_options import split_parameters

    parameters, fields = split_parameters(given)
    return client.make_spec(model, action, parameters=parameters, **{"source": None, **fields})


def _followed(client: "Client", job_id: str, each: Any = lambda: None) -> "Job":
    from jobs.terminal import follow

    return follow(client.watch(job_id), each)


def _end_with(job: "Job", as_json: bool) -> None:
    """Print where the report is; a job without success ends the command with its reason."""
    if as_json:
        _print_json(job.as_dict())
    elif job.report:
        click.echo(job.report)
    if job.state != "succeeded":
        raise JobFailed(f"job {job.id} {job.state}" + (f": {job.error}" if job.error else ""))


def _print_json(value: Any) -> None:
    from jobs.visible import visible_json

    click.echo(visible_json(json.dumps(value, indent=2, ensure_ascii=False)))


_JSON = click.Option(["--json", "as_json"], is_flag=True, help="print JSON")
_WATCH = click.Option(["--watch"], is_flag=True, help="follow the job until it has ended")
quartet.add_command(
    _JobCommands(_run, [_JSON], name="run", help="Do one job here and now, with nothing to start first.")
)
quartet.add_command(
    _JobCommands(_submit, [_WATCH, _JSON], name="submit", help="Queue a job and print its id.")
)
_as_json = click.option("--json", "as_json", is_flag=True, help="print JSON")
_job_argument = click.argument("job", metavar="JOB")


@quartet.command()
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="how many workers")
def up(workers: int) -> None:
    """Keep a Redis and workers running here until Ctrl-C."""
    import time

    from jobs.local import kept_service, stopped_by_signals
    from jobs.settings import read_settings

    settings = read_settings()
    with stopped_by_signals(), kept_service(settings, workers) as service:
        count = f"{workers} worker{'s' if workers > 1 else ''}"
        click.echo(f"{count} on {service.settings.redis_address()}; logs in {settings.state_dir}")
        click.echo("`quartet submit` in another terminal finds them; Ctrl-C ends them")
        try:
            while True:
                time.sleep(0.5)
                service.check()
        except KeyboardInterrupt:
            click.echo("ending; running jobs write a checkpoint and go on at the next `quartet up`")


@quartet.command("list")
@click.option(
    "--state", metavar="S", help="only waiting, queued, running, succeeded, failed or cancelled ones"
)
@_as_json
def list_jobs(state: str | None, as_json: bool) -> None:
    """List all jobs, newest first."""
    from jobs.client import Client
    from jobs.errors import InvalidInput
    from jobs.record import STATES
    from jobs.sentences import unknown_choice

    if state is not None and state not in STATES:
        raise InvalidInput(unknown_choice("state", state, STATES))
    client = Client()
    jobs = client.jobs(next((known for known in STATES if known == state), None))
    if as_json:
        _print_json([job.as_dict() for job in jobs])
        return
    from jobs.terminal import show_jobs

    show_jobs(jobs)
    if not client.redis_answers():
        click.echo("Redis cannot be reached: these are the finished jobs in the results folder", err=True)


@quartet.command()
@_job_argument
@_as_json
def show(job: str, as_json: bool) -> None:
    """Show one job and what happened to it."""
    from jobs.client import Client
    from jobs.command import command_line

    client = Client()
    found = client.job(job)
    timeline = client.timeline(found.id)
    if as_json:
        _print_json(found.as_dict() | {"timeline": timeline, "command": command_line(found.spec)})
        return
    from jobs.terminal import show_job

    progress = client.ledger.latest_progress(found.id) if found.state == "running" else {}
    show_job(found, timeline, progress, command_line(found.spec))


@quartet.command()
@_job_argument
def watch(job: str) -> None:
    """Follow a job until it has ended."""
    from jobs.client import Client

    client = Client()
    _end_with(_followed(client, client.resolve(job)), as_json=False)


@quartet.command()
@_job_argument
@click.option("--open", "open_it", is_flag=True, help="open it in the browser")
def report(job: str, open_it: bool) -> None:
    """Print where a job's report is."""
    from jobs.client import Client

    path = Client().folder(job).path / "report.html"
    click.echo(path)
    if open_it:
        click.launch(path.as_uri())


@quartet.command()
@_job_argument
def verify(job: str) -> None:
    """Check a finished job's files against its manifest."""
    from jobs.client import Client

    folder = Client().folder(job)
    problems = folder.verify()
    if problems:
        raise DamagedFolder(f"{folder.path}: {'; '.join(problems)}")
    click.echo(f"{folder.path} matches its manifest")


@quartet.command()
@_job_argument
def cancel(job: str) -> None:
    """Cancel a job; a running one stops within seconds and keeps its checkpoint."""
    from jobs.client import Client

    cancelled = Client().cancel(job)
    word = "cancelled" if cancelled.state == "cancelled" else "asked to stop"
    click.echo(f"{cancelled.id} {word}")


@quartet.command()
@_job_argument
def retry(job: str) -> None:
    """Queue a failed or cancelled job anew and print the new id."""
    from jobs.client import Client

    click.echo(Client().retry(job).id)


@quartet.command()
@_job_argument
@click.option("--epochs", metavar="N|+N", help="the new total, or how many more than were done")
def resume(job: str, epochs: str | None) -> None:
    """Go on from the checkpoint of a training that has ended, as a new job."""
    from jobs.client import Client

    click.echo(Client().resume(job, epochs).id)


@quartet.group(invoke_without_command=True)
@click.pass_context
def data(context: click.Context) -> None:
    """Datasets: whether they are here, where they come from."""
    if context.invoked_subcommand is None:
        context.invoke(data_list)


@data.command("list")
@_as_json
def data_list(as_json: bool = False) -> None:
    """List the datasets."""
    from jobs.datasets import DATASETS, find
    from jobs.settings import read_settings

    folder = read_settings().data_dir
    rows = []
    for dataset in DATASETS.values():
        path = find(dataset.name, folder)
        here = "always" if dataset.offline else "no" if path is None else "yes"
        rows.append(
            {
                "name": dataset.name,
                "kind": dataset.kind,
                "title": dataset.title,
                "here": here,
                "path": str(path) if path else None,
                "origin": dataset.origin,
                "licence": dataset.licence,
            }
        )
    if as_json:
        _print_json(rows)
        return
    from jobs.terminal import show_datasets

    show_datasets(rows)


@data.command("get")
@click.argument("name")
def data_get(name: str) -> None:
    """Download a dataset into the data folder."""
    import subprocess

    from jobs.datasets import DATASETS
    from jobs.errors import InvalidData
    from jobs.local import check_worker_is_installed
    from jobs.sentences import unknown_choice

    if name not in DATASETS:
        raise InvalidData(unknown_choice("dataset", name, DATASETS))
    check_worker_is_installed()
    # In a process of its own: what downloads belongs to the worker and may load TensorFlow.
    sys.exit(subprocess.run([sys.executable, "-m", "worker.data", "get", name]).returncode)


@quartet.command()
def rebuild() -> None:
    """Restore a lost Redis from the results folder."""
    from jobs.client import Client
    from jobs.rebuild import rebuild

    client = Client()
    done = rebuild(client.ledger, client.results)
    click.echo(f"restored {done.finished} finished jobs; queued {done.queued} that were running")
    if done.unreadable:
        names = ", ".join(str(path.relative_to(client.results.root)) for path in done.unreadable[:5])
        more = f" and {len(done.unreadable) - 5} more" if len(done.unreadable) > 5 else ""
        raise DamagedFolder(f"in {client.results.root} could not be read: {names}{more}")


@quartet.command()
@_as_json
def doctor(as_json: bool) -> None:
    """Check what a person would check by hand, and say how to mend it."""
    from dataclasses import asdict

    from jobs.doctor import examine
    from jobs.settings import read_settings

    checks = examine(read_settings())
    if as_json:
        _print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.well else 'BAD '}{check.name:18}{check.finding}")
            if not check.well:
                click.echo(f"{'':22}{check.mend}")
    wrong = [check.name for check in checks if not check.well]
    if wrong:
        raise QuartetError(f"not well: {', '.join(wrong)}")


@quartet.command()
@_as_json
def gpus(as_json: bool) -> None:
    """Show this machine's GPUs: memory, load, the worker that holds each, and its job."""
    import subprocess

    from jobs.local import check_worker_is_installed

    check_worker_is_installed()
    # In a process of its own: what asks the driver belongs to the worker.
    command = [sys.executable, "-m", "worker.gpus", *(["--json"] if as_json else [])]
    sys.exit(subprocess.run(command).returncode)


@quartet.command()
def settings() -> None:
    """Print each setting with its value, default and help."""
    from jobs.settings import read_settings
    from jobs.terminal import show_settings

    show_settings(read_settings())


def main() -> None:
    """Run the command line; every error is one sentence on standard error and an exit code."""
    try:
        sys.exit(quartet.main(standalone_mode=False) or 0)
    except QuartetError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        _fail(_usage_sentence(error), 2)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _usage_sentence(error: click.UsageError) -> str:
    context = error.ctx
    if context is None:
        return error.format_message()
    group = context.command
    if isinstance(error, click.exceptions.NoSuchCommand) and isinstance(group, click.Group):
        from jobs.sentences import unknown_choice

        within_model = context.parent is not None and isinstance(context.parent.command, _JobCommands)
        what = "action" if within_model else "model" if isinstance(group, _JobCommands) else "command"
        return unknown_choice(what, error.command_name, group.list_commands(context))
    return f"{error.format_message().rstrip('.')} (`{context.command_path} --help` says what is allowed)"


def _fail(sentence: str, code: int) -> None:
    from jobs.visible import visible_line

    click.echo(visible_line(f"quartet: {sentence}"), err=True)
    sys.exit(code)
