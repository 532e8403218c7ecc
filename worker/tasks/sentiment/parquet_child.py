"""Reads columns of a Parquet file in a process with little memory, which `parquet_records.py` starts.

A page of a small file may unpack to gigabytes, whatever its header says, and Arrow takes the memory that it
asks for. It is a script, without a package around it: it needs pyarrow and nothing else, and starts fast.

It writes lines of JSON: the names of the columns; once a line of its standard input has said which to read,
by their places, a list with the values of each row; at last `{"end": true}`, or `{"error": …}` wherever it
fails.
"""

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, TextIO

MEMORY = 1 << 30
"""Bytes of address space, Python and pyarrow included."""

SECONDS = 30
"""Of computing, to which one is added for each megabyte of the file."""

_ROWS = 256
"""That are decoded at once: 25 MB of reviews of 100,000 characters each."""


def main(descriptor: int) -> None:
    """Read the file of an open descriptor."""
    import resource  # clients without it import this module too

    seconds = SECONDS + os.fstat(descriptor).st_size // 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with os.fdopen(1, "w", 1 << 18, encoding="utf-8") as output:
        try:
            for answer in _answers(descriptor, output):
                output.write(json.dumps(answer, ensure_ascii=False) + "\n")
            answer = {"end": True}
        except ImportError:
            answer = {"error": "pyarrow"}
        except MemoryError:
            answer = {"error": "memory"}
        except Exception as error:
            answer = {"error": f"{error}"[:200]}
        output.write(json.dumps(answer) + "\n")


def _answers(descriptor: int, output: TextIO) -> Iterator[Any]:
    pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    with os.fdopen(descriptor, "rb") as file:
        # Buffered, so that of a group of rows only the pages that are read are held.
        table = parquet.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)
        schema = table.schema_arrow
        yield schema.names
        output.flush()
        names = [schema.names[place] for place in json.loads(sys.stdin.readline())]
        kind = schema.field(names[0]).type
        types = pyarrow.types
        if not any(
            is_text(kind) for is_text in (types.is_string, types.is_large_string, types.is_string_view)
        ):
            raise ValueError(f"{kind} in its column {names[0]!r}")
        for batch in table.iter_batches(_ROWS, columns=names, use_threads=False):
            columns = [batch.column(name).to_pylist() for name in names]
            for row in zip(*columns, strict=True):
                yield [_plain(value) for value in row]


def _plain(value: Any) -> Any:
    """A value of JSON; of any other only its type, which is no label."""
    return value if value is None or isinstance(value, str | int | float) else [type(value).__name__]


if __name__ == "__main__":
    main(int(sys.argv[1]))
