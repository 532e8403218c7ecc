"""`Comparer`: what a client says of many jobs at once."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from jobs.errors import InvalidInput
from jobs.finding.wanted import Wanted
from jobs.job import Job
from jobs.sweeps.sweep_maker import SweepMaker
from jobs.wording import shown

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.comparison.comparison import Comparison


class Comparer(SweepMaker):
    """Compares jobs, and gives them as rows for pandas or polars."""

    def compare(
        self,
        *references: str | Job,
        sweep: str | Iterable[str] = (),
        tag: str | Iterable[str] = (),
        last: int | None = None,
        model: str | None = None,
        action: str | None = None,
        sort: str | None = None,
    ) -> "Comparison":
        """Jobs beside each other: what differs, and what came of it, the best first.

        Args:
            references: to jobs.
            sweep: the name of a sweep, or several, for all their trials; of one that halving promoted its
                latest job.
            tag: only jobs that have this tag, or all of these; without references, sweeps and `last`, all
                jobs that have them.
            last: so many of the newest jobs.
            model: only jobs of this model.
            action: only jobs that do this.
            sort: the number by which they are ranked; by default that of their sweep, or the headline.

        Raises:
            InvalidInput: nothing is asked for, there is no such sweep, job or number, or a value is none that
                is described here.
            UnknownJob: a reference names no job or several.
            RedisUnreachable: a job may not have ended, and Redis cannot be reached.
            DamagedFolder: the results folder cannot be read.
        """
        from jobs.comparison.comparison import Comparison  # late, since most clients compare nothing
        from jobs.comparison.selection import Selector

        if last is not None and (not isinstance(last, int) or isinstance(last, bool) or last < 1):
            raise InvalidInput("last", expected="an integer ≥ 1", given=shown(last))
        tags = [tag] if isinstance(tag, str) else list(tag)
        wanted = Wanted.make(model=model, action=action, tags=tags)
        names = [sweep] if isinstance(sweep, str) else list(sweep)
        selected = Selector(cast("Client", self), self._known).select(references, names, last, wanted)
        return Comparison.of(selected, sort)

    def table(self, *references: str | Job, **selection: Any) -> list[dict[str, Any]]:
        """Jobs as rows for `pandas.DataFrame` or `polars.DataFrame`, the best first; nothing is rounded.

        Each row has the same keys: `id`, `name`, `state`, `model`, `action`, `sweep`, `trial`, `point`,
        `rung`, `seed`, `tags`, `data`, `from`, `submitted`, `seconds`, `epochs_done`, `error`, `code`,
        `report`; then `parameters.…`, `training.…` (of the job whose model was used) and `metrics.…`.

        Args:
            references: to jobs.
            selection: `sweep`, `tag`, `last`, `model`, `action` and `sort`, as for `compare`.

        Raises:
            InvalidInput, UnknownJob, RedisUnreachable, DamagedFolder: as `compare` does.
        """
        from jobs.comparison.table_rows import table_rows

        return table_rows(self.compare(*references, **selection).runs)

    def histories(self, *references: str | Job, **selection: Any) -> list[dict[str, Any]]:
        """What training jobs measured after each epoch, as rows: the job's `id`, and its `history.csv`.

        Args:
            references: to jobs.
            selection: as for `table`.

        Raises:
            InvalidInput, UnknownJob, RedisUnreachable: as `compare` does.
            DamagedFolder: the history of a job cannot be read.
        """
        runs = self.compare(*references, **selection).runs
        folders = [folder for run in runs if (folder := self._known.folder(run.id))]
        return [{"id": folder.id, **_epoch_row(row)} for folder in folders for row in folder.history]


def _epoch_row(row: dict[str, float]) -> dict[str, float]:
    return {name: int(value) if name == "epoch" else value for name, value in row.items()}
