"""What only character models have to compare: what each makes of the same prompt."""

from collections.abc import Sequence

from jobs.store.job_folder import JobFolder
from worker.report.blocks import Blocks, Columns, Compared, Text
from worker.report.comparing import read_each
from worker.report.formatting import clipped
from worker.tasks.textgen.artifacts import read_samples

LONGEST_TEXT = 1_000
MOST_PROMPTS = 6
LONGEST_PROMPT = 60
"""Characters, and prompts with their temperature, that a page shows."""


def compare(runs: Sequence[Compared]) -> Blocks:
    """Yield what the page of a comparison shows of character models.

    Args:
        runs: the best first.
    """
    found: dict[tuple[str, float], list[Text]] = {}
    for run, samples in read_each(runs, "generate", _first_texts):
        for prompt, temperature, text in samples:
            whole = Text(run.legend, clipped(prompt + text, LONGEST_TEXT), monospace=True)
            found.setdefault((prompt, temperature), []).append(whole)
    several = [(key, texts) for key, texts in found.items() if len(texts) > 1]
    for (prompt, temperature), texts in several[:MOST_PROMPTS]:
        begins = (
            f"after “{clipped(prompt.strip(), LONGEST_PROMPT)}”" if prompt.strip() else "without a prompt"
        )
        yield Columns(f"Texts {begins}, temperature {temperature:g}", texts)


def _first_texts(folder: JobFolder) -> list[tuple[str, float, str]]:
    """Prompt, temperature and text of the first text at each temperature."""
    written = read_samples(folder)
    first = {float(sample["temperature"]): str(sample["text"]) for sample in reversed(written["samples"])}
    return [(str(written["prompt"]), temperature, text) for temperature, text in sorted(first.items())]
