"""Tags and notes that jobs were given after they were submitted: `results/.labels/<day>.jsonl`.

They lie beside the published folders, which do not change. A line is added with each change, and holds all
tags and the note of a job from then on.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from jobs.errors import InvalidInput, JobConflict
from jobs.store.day_files import DayFiles
from jobs.store.file_lock import try_lock
from jobs.store.strict_json import parse_json
from jobs.tags import as_list, check_tags, is_tag
from jobs.wording import shown

FOLDER = ".labels"
LONGEST_NOTE = 2_000

LOCK_SECONDS = 10.0
"""How long a change waits for that of another person."""

_LOCK = ".changes.lock"
_MOST_LINE_BYTES = 32_768
_MOST_DAYS = 1_000


@dataclass(frozen=True)
class Label:
    """What a job was given beside its name."""

    tags: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Labels:
    """The labels of all jobs of a results folder.

    Attributes:
        root: the results folder.
    """

    root: Path

    def find(self, job_id: str) -> Label | None:
        """What a job was labelled with since it was submitted; None if nobody has."""
        return self.of_day(job_id[:8]).get(job_id)

    def of_day(self, day: str) -> Mapping[str, Label]:
        """The labels of the jobs of a day, by id; an unchanged file is read once.

        A line that is damaged, or a file that cannot be read, labels nothing.

        Args:
            day: the first eight digits of the jobs' ids.
        """
        try:
            stamp = self._files.stamp(day)
        except OSError:
            return {}
        return {} if stamp is None else _read(self._files, day, stamp)

    def days(self) -> list[str]:
        """The days of which some job has a label, newest first."""
        return self._files.days()

    def change(
        self,
        job_id: str,
        given: Iterable[str],
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        note: str | None = None,
    ) -> Label:
        """Change the tags and the note of a job; what others change at the same time is not lost.

        Args:
            job_id: the job's id.
            given: the tags that it was submitted with.
            add: tags that it gets, unless it has them.
            remove: tags that it loses, if it has them.
            note: its new note; None leaves it as it is.

        Returns:
            What the job has now.

        Raises:
            InvalidInput: a tag or the note is none, or there are too many tags; nothing was changed.
            JobConflict: another process holds the lock.
            OSError: the volume is full, read-only or gone.
        """
        add, remove, note = _checked_tags(add), _checked_tags(remove), _checked_note(note)
        with self.unchanged() as held:
            if not held:
                held_for = f"a lock that is held for more than {LOCK_SECONDS:g} s"
                raise JobConflict("labels", expected="labels that nobody else changes", given=held_for)
            before = self.find(job_id) or Label(tuple(given))
            tags = _checked_tags([tag for tag in dict.fromkeys([*before.tags, *add]) if tag not in remove])
            after = Label(tags, before.note if note is None else note)
            if after != before:
                self._append(job_id, after)
        return after

    def _append(self, job_id: str, label: Label) -> None:
        line = {"id": job_id, "tags": list(label.tags), "note": label.note}
        self._files.append(job_id[:8], [json.dumps(line, separators=(",", ":")).encode()])

    def put(self, job_id: str, label: Label) -> None:
        """Give a job the tags and the note that it has on another host.

        Raises:
            InvalidInput: a tag or the note is none, or there are too many tags; nothing was changed.
            OSError: the volume is full, read-only or gone.
        """
        checked = Label(_checked_tags(label.tags), _checked_note(label.note) or "")
        with self.unchanged():
            if checked != self.find(job_id):
                self._append(job_id, checked)

    @contextmanager
    def unchanged(self) -> Iterator[bool]:
        """Keep others from changing labels for the length of the block; gives whether they are kept from it.

        Raises:
            OSError: the volume is full, read-only or gone.
        """
        self._files.make_folder()
        with try_lock(self.root / FOLDER / _LOCK, LOCK_SECONDS) as held:
            yield held

    def drop(self, day: str, job_ids: Collection[str]) -> bool:
        """Remove the labels of deleted jobs of one day; whether there were any.

        Raises:
            OSError: the volume is full, read-only or gone.
        """
        if self.of_day(day).keys().isdisjoint(job_ids):
            return False
        with self.unchanged():
            self._files.drop(day, job_ids)
        return True

    @property
    def _files(self) -> DayFiles:
        return DayFiles(self.root / FOLDER)


@lru_cache(maxsize=_MOST_DAYS)
def _read(files: DayFiles, day: str, _stamp: tuple[int, int, int]) -> Mapping[str, Label]:
    try:
        lines = files.lines(day)
    except OSError:
        return {}
    found = {job_id: label for job_id, line in lines.items() if (label := _label_in(line))}
    return MappingProxyType(found)


def _label_in(line: bytes) -> Label | None:
    """What a line says; None where somebody else wrote something else."""
    if len(line) > _MOST_LINE_BYTES:
        return None
    try:
        value = parse_json(line)
        note = value["note"]
        if not isinstance(value["tags"], list) or not isinstance(note, str) or len(note) > LONGEST_NOTE:
            return None
        return Label(check_tags(value["tags"]), note)
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    given = as_list(tags)
    try:
        return check_tags(given)
    except ValueError as error:
        wrong = next((shown(tag) for tag in given if not is_tag(tag)), f"{len(given):,}")
        raise InvalidInput("tag", expected=str(error), given=wrong) from None


def _checked_note(note: str | None) -> str | None:
    if note is None:
        return None
    fits = isinstance(note, str) and len(note) <= LONGEST_NOTE
    if not fits or not _is_utf8(note):
        given = f"{len(note):,}" if isinstance(note, str) and not fits else shown(note)
        raise InvalidInput("note", expected=f"a text of at most {LONGEST_NOTE:,} characters", given=given)
    return note.strip()


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
