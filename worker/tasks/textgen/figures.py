"""Figures of the character model: against n-grams, by place in the line, calibration, by temperature."""

from collections.abc import Mapping, Sequence

from worker.report.blocks import Figure
from worker.report.theme import COLOURS, INK, MUTED, new_drawing

Row = Mapping[str, float]


def comparison(bars: Mapping[str, float]) -> Figure:
    """Draw nats per character of the network and of what it is compared with.

    Args:
        bars: what predicted the measured text -> nats per character, the network last.
    """
    drawing = new_drawing(height=2.2)
    axes = drawing.add_subplot(xlabel="nats per character (lower is better)")
    colours = [COLOURS[5]] * (len(bars) - 1) + [COLOURS[0]]
    drawn = axes.barh(list(bars), list(bars.values()), color=colours, height=0.62)
    axes.bar_label(drawn, fmt="%.3f", padding=4, color=INK)
    axes.margins(x=0.1)
    axes.invert_yaxis()
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
    values = ", ".join(f"{name} {value:.3f}" for name, value in bars.items())
    return Figure(
        name="comparison",
        title="Against n-grams",
        caption="All predict the same characters. The n-grams counted the text that lies before, that for "
        "validation included.",
        alt=f"Bars of nats per character: {values}.",
        drawing=drawing,
    )


def by_place(rows: Sequence[Row], ngrams: str, column: str) -> Figure:
    """Draw nats by place in the line.

    Args:
        rows: of `place_in_line.csv`.
        ngrams: what the n-grams are called.
        column: that of their nats.
    """
    drawing = new_drawing(height=3.6)
    axes = drawing.add_subplot(xlabel="place in the line (characters)", ylabel="nats per character")
    places = [row["place"] for row in rows]
    network = [row["nats"] for row in rows]
    axes.plot(places, [row[column] for row in rows], "--", color=COLOURS[5], label=ngrams)
    axes.plot(places, network, color=COLOURS[0], label="this network")
    axes.set_xlim(0, None)
    axes.set_ylim(0, None)
    axes.legend()
    worst, best = (choose(rows, key=lambda row: row["nats"]) for choose in (max, min))
    extremes = (
        f"The network needs most, {worst['nats']:.2f} nats per character, at place {worst['place']:.0f}, and "
        f"least, {best['nats']:.2f}, at place {best['place']:.0f}."
    )
    return Figure(
        name="place_in_line",
        title="Error by place in the line",
        caption=f"{extremes} Places with few characters are left out.",
        alt=f"Nats per character against place in the line, for the network and the {ngrams}. {extremes}",
        drawing=drawing,
    )


def calibration(rows: Sequence[Row], error: float) -> Figure:
    """Draw the share of correct predictions against confidence.

    Args:
        rows: of `calibration.csv`.
        error: the expected calibration error.
    """
    drawing = new_drawing(width=5.2, height=4.6)
    axes = drawing.add_subplot(
        xlabel="confidence in the likeliest character",
        ylabel="share predicted correctly",
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
    )
    total = sum(row["characters"] for row in rows)
    axes.bar(
        [(row["from"] + row["to"]) / 2 for row in rows],
        [row["characters"] / total for row in rows],
        width=[0.9 * (row["to"] - row["from"]) for row in rows],
        color=COLOURS[5],
        alpha=0.3,
        label="share of characters",
    )
    axes.plot([0, 1], [0, 1], ":", color=MUTED, label="perfect calibration")
    axes.plot(
        [row["confidence"] for row in rows],
        [row["right"] for row in rows],
        "o-",
        color=COLOURS[0],
        label="this network",
    )
    axes.legend(loc="upper left")
    points = ", ".join(f"{row['confidence']:.2f}: {row['right']:.2f}" for row in rows)
    return Figure(
        name="calibration",
        title="Calibration",
        caption="Below the dotted line the network is overconfident. "
        f"Expected calibration error: {error:.4f}.",
        alt=f"Share of correct predictions against confidence; equal if calibrated. {points}.",
        drawing=drawing,
    )


def temperature(rows: Sequence[Row]) -> Figure:
    """Draw what the words of the texts do as the temperature rises.

    Args:
        rows: of `temperatures.csv`, by rising temperature, two or more.
    """
    drawing = new_drawing(height=3.4)
    axes = drawing.add_subplot(xlabel="temperature", ylabel="share", ylim=(-0.03, 1.03))
    lines = {
        "known": ("known words", "o-", COLOURS[0]),
        "different": ("new words", "s--", COLOURS[2]),
        "repeated": ("repeated sequences", "^:", COLOURS[1]),
    }
    temperatures = [row["temperature"] for row in rows]
    for name, (label, style, colour) in lines.items():
        axes.plot(temperatures, [row[name] for row in rows], style, color=colour, label=label)
    drawing.legend(loc="outside lower center", ncols=3)
    first, last = rows[0], rows[-1]
    values = "; ".join(
        f"{label} {first[name]:.2f} and {last[name]:.2f}" for name, (label, *_) in lines.items()
    )
    shares = f"At temperatures {temperatures[0]:g} and {temperatures[-1]:g}: {values}."
    return Figure(
        name="temperature",
        title="Words by temperature",
        caption=shares,
        alt=f"Shares against temperature. {shares}",
        drawing=drawing,
    )
