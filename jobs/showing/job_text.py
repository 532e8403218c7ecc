"""How far a job is, and what came of it, in words."""

from collections.abc import Mapping
from typing import Any

from jobs.escape_control import escape_line
from jobs.job import Job


def headline_text(job: Job) -> str:
    """A job's main result, as `PSNR 17.3 dB`; empty where there is none."""
    if not job.headline:
        return ""
    return f"{label_text(job.headline['label'])} {job.headline['value']} {job.headline['unit']}".strip()


def label_text(label: Any) -> str:
    """What stands before a number: `PSNR`, or `Balanced accuracy at 0.5:`, since two numbers would read as
    one."""
    return f"{label}:" if str(label)[-1:].isdigit() else str(label)


def describe(progress: Mapping[str, Any], most: int = 10**6) -> str:
    """Progress in words: `epoch 3/20, step 40/234, loss 0.0981 in epoch 2, validation loss 0.0992`.

    Args:
        progress: a message of a task.
        most: characters; what is left out first is the step, then the validation loss, then the loss.
    """
    try:
        parts = _parts(progress)
    except (LookupError, TypeError, ValueError, ArithmeticError):  # of a version with other names
        return ""
    for name in ("step", "validation_loss", "loss"):
        if len(", ".join(parts.values())) > most:
            parts.pop(name, None)
    return ", ".join(parts.values())


def _parts(progress: Mapping[str, Any]) -> dict[str, str]:
    parts = {}
    done, within = int(progress.get("epoch", 0)), True
    if "epochs" in progress:
        within = done == 0 or ("steps" in progress and int(progress["step"]) > 0)
        parts["epoch"] = f"epoch {done + within}/{int(progress['epochs'])}{'' if within else ' done'}"
    elif "stage" in progress:
        parts["stage"] = escape_line(str(progress["stage"]))
    if "steps" in progress and within:
        parts["step"] = f"step {int(progress['step'])}/{int(progress['steps'])}"
    for name in ("loss", "validation_loss"):
        if name in progress:
            parts[name] = f"{name.replace('_', ' ')} {progress[name]:.4f}"
    if done and within and "loss" in parts:  # the losses are those of the last epoch that ended
        parts["loss"] += f" in epoch {done}"
    return parts
