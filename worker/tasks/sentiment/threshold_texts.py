"""What a report says about the threshold in use, in sentences made of the numbers at hand."""

import math
from collections.abc import Mapping, Sequence

from jobs.wording import counted
from worker.tasks.sentiment.confusion import Target
from worker.tasks.sentiment.wording import percent, rounded, rounded_percent, threshold_text

Metrics = Mapping[str, float]


def target_text(metrics: Metrics) -> str:
    """Tell how the threshold was chosen for a precision or a recall, and whether the test reviews have it.

    Args:
        metrics: of an evaluation with a target.
    """
    name, other = ("precision", "recall") if "target_precision" in metrics else ("recall", "precision")
    target, shown = metrics[f"target_{name}"], percent(metrics[f"target_{name}"])
    on_validation, threshold = metrics[f"validation_{name}"], threshold_text(metrics["threshold"])
    sentences = [f"A {name} of {shown} was asked for."]
    bound = metrics.get("validation_bound")
    if bound is None:  # an evaluation before version 0.2
        sentences.append(f"The threshold {threshold} has {rounded(on_validation)} on the validation reviews.")
    elif bound >= target:
        extreme = "lowest" if name == "precision" else "highest"
        sentences.append(
            f"{threshold} is the {extreme} threshold that has it with 95 % confidence by the validation "
            f"reviews: they have {rounded(on_validation)} there, with a lower bound of {rounded(bound)}."
        )
    else:
        sentences.append(
            "The validation reviews show it at no threshold with 95 % confidence. "
            f"{threshold} has the highest lower bound, {rounded(bound)}; they have "
            f"{rounded(on_validation)} there."
        )
    if name in metrics:
        sentences.append(_on_test(metrics, name, target))
    else:
        sentences.append("No test review is called positive there, so there is no precision to compare.")
    if bound is not None and bound >= target:
        sentences.append(
            f"About one time in twenty, validation reviews drawn anew would lead to a threshold with a lower "
            f"{name} than was asked for, on reviews like them."
        )
        sentences.extend(_difference(metrics))
    if other in metrics:
        sentences.append(f"The {other} is {rounded(metrics[other])}.")
    return " ".join(sentences)


def _on_test(metrics: Metrics, name: str, target: float) -> str:
    """By how much the test reviews meet or miss the target, and whether chance alone may do that."""
    found, margin = metrics[name], metrics[name] - target
    text = f"The test reviews have {rounded(found)}"
    if f"{name}_low" in metrics:
        text += f" (95 % interval {metrics[f'{name}_low']:.4f} to {metrics[f'{name}_high']:.4f})"
    if margin >= 0:
        return f"{text}: the target is met, by {rounded(margin)}."
    return f"{text}: the target is missed, by {rounded(-margin)}."


def _difference(metrics: Metrics) -> list[str]:
    """A sentence if the test reviews are harder than the validation reviews, or easier, beyond chance.

    The interval of the difference of two independent measures joins theirs: Zou and Donner (2008),
    https://doi.org/10.1002/sim.3095
    """
    tested = "balanced_accuracy_at_half" if "balanced_accuracy_at_half" in metrics else "balanced_accuracy"
    validated = "validation_balanced_accuracy"
    if not {f"{name}_{end}" for name in (tested, validated) for end in ("low", "high")} <= metrics.keys():
        return []
    test, validation = metrics[tested], metrics[validated]
    if validation > test:
        ends = validation - metrics[f"{validated}_low"], metrics[f"{tested}_high"] - test
    else:
        ends = metrics[f"{validated}_high"] - validation, test - metrics[f"{tested}_low"]
    if abs(validation - test) <= math.hypot(*ends):
        return []
    harder, more = ("harder", "more") if validation > test else ("easier", "less")
    return [
        f"These test reviews are {harder} than the validation reviews, beyond chance (balanced accuracy "
        f"at 0.5: {rounded(test)} and {rounded(validation)}), so expect {more} misses."
    ]


def trade_off_text(metrics: Metrics, prices: Sequence[Metrics], target: Target = "precision") -> str:
    """Tell what the threshold in use does, and what one for more precision, or for more recall, would.

    Args:
        metrics: of an evaluation.
        prices: the rows of precision_price.csv or of recall_price.csv.
        target: which of these.
    """
    called, positives = (
        metrics["true_positives"] + metrics[name] for name in ("false_positives", "false_negatives")
    )
    reviews = metrics["reviews"]
    sentences = [
        f"At the threshold {threshold_text(metrics['threshold'])} the model calls {called:,.0f} of the "
        f"{counted(int(reviews), 'test review')} positive."
    ]
    if called:
        right = metrics["true_positives"]
        sentences.append(
            f"{right:,.0f} of them are (precision {rounded_percent(right, called)}), of {positives:,.0f} "
            f"that there are (recall {rounded_percent(right, positives)})."
        )
    fewer = "false_positives" if target == "precision" else "false_negatives"
    better = next((row for row in prices if row["target"] and row[fewer] < metrics[fewer]), None)
    if better:
        sentences.append(_other_threshold(metrics, better, target))
    sentences.append(
        "Raise the threshold where a review wrongly called positive is the worse mistake, lower it where a "
        "missed one is. Every labelling job writes the probabilities, so any threshold can be applied: "
        "`--threshold` takes each of these as it is printed."
    )
    return " ".join(sentences)


def _other_threshold(metrics: Metrics, row: Metrics, target: Target) -> str:
    """What a higher threshold gains and costs, or a lower one where the target is a recall."""
    wrong, missed = (
        f"{row[name]:,.0f} instead of {metrics[name]:,.0f} {what}"
        for name, what in (
            ("false_positives", "would be called positive wrongly"),
            ("false_negatives", "positive ones would be missed"),
        )
    )
    more_wrong, more_missed = (row[name] - metrics[name] for name in ("false_positives", "false_negatives"))
    at = f"At {threshold_text(row['threshold'])}, the threshold for a {target} of {percent(row['target'])}, "
    if target == "precision":
        gain, cost, price = (
            f"{wrong}, and {missed}",
            more_missed / -more_wrong,
            "missed for each mistake avoided",
        )
    else:
        gain, cost, price = f"{missed}, and {wrong}", more_wrong / -more_missed, "mistakes for each one found"
    return f"{at}{gain}: {rounded(cost, 1)} more {price}." if cost > 0 else f"{at}{gain}."
