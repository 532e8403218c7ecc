"""`Describer`: makes sweeps and plain jobs from descriptions, in Python or in a file; queues nothing.

What reads them is loaded when it is first needed: every command makes a client, and few read a description.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.specs.spec_maker import SpecMaker

if TYPE_CHECKING:
    from jobs.sweeps.description import Description
    from jobs.sweeps.job_parts import JobParts


class Describer(SpecMaker):
    """Reads descriptions; each is validated whole, and every mistake is reported at once."""

    def describe(self, description: Mapping[str, Any]) -> "Description":
        """What a description makes: a sweep, or a plain job with those that follow it.

        Args:
            description: with the keys of a sweep's file, as docs/sweeps.md lists them.

        Raises:
            InvalidSweep: something is wrong; `problems` has every mistake.
            RedisUnreachable: it refers to a job that has no folder, and Redis cannot be reached.
        """
        from jobs.sweeps.reading import read_mapping

        return read_mapping(self._parts(), description)

    def describe_options(
        self, model: str, action: str, parameters: Mapping[str, Sequence[str]], fields: Mapping[str, Any]
    ) -> "Description":
        """The sweep that the options of a command line describe, as `one_line.description_of` takes them.

        Raises:
            InvalidSweep: something is wrong; `problems` has every mistake.
            RedisUnreachable: it refers to a job that has no folder, and Redis cannot be reached.
        """
        from jobs.sweeps.reading import read_options

        return read_options(self._parts(), model, action, parameters, fields)

    def describe_file(self, path: Path) -> "list[Description]":
        """What a file makes: of each of its documents, or of each item of a list.

        Args:
            path: of a YAML or JSON file; `-` for standard input.

        Raises:
            InvalidSweep: something is wrong; `problems` has every mistake, with file, line and column.
            RedisUnreachable: it refers to a job that has no folder, and Redis cannot be reached.
        """
        from jobs.sweeps.reading import read_file

        return read_file(self._parts(), path)

    def _parts(self) -> "JobParts":
        """Reads the parts of one description's jobs, or of one file's."""
        from jobs.sweeps.job_parts import JobParts

        return JobParts(self._known, self.job_data)
