"""Which training reviews of IMDB are of the same films, as far as a split needs to know.

The files are numbered film by film, up to 30 reviews of a film in a row, and the films of `train/pos/` and
`train/neg/` are in the same order: reviews were collected until there were 12,500 of each label, and the
positive ones were complete at the film of the negative one 3,969. So a cut at one number in each folder
separates films. The cuts here were found by the names that reviews share: of all places near by, each pair
has the fewest names of neighbouring reviews on both of its sides, mostly none.
"""

from bisect import bisect_right

IMDB_FOLDER = "aclImdb"
"""In which the reviews are published."""

_CUTS_OF_BOTH = (
    (457, 162), (778, 219), (1206, 303), (1659, 482), (2045, 609), (2527, 794), (2898, 894), (3307, 974),
    (3714, 1091), (4186, 1204), (4612, 1336), (4978, 1416), (5449, 1605), (5846, 1740), (6211, 1875),
    (6716, 2012), (7035, 2131), (7497, 2286), (7878, 2356), (8305, 2504), (8709, 2678), (9149, 2804),
    (9596, 2919), (9992, 3103), (10385, 3272), (10821, 3446), (11195, 3582), (11641, 3687), (12062, 3839),
)  # fmt: skip
"""Numbers of a positive and a negative review, each the first of its label behind the cut."""

_CUTS_OF_NEGATIVE = (
    3970, 4383, 4823, 5250, 5672, 6102, 6524, 6957, 7360, 7796, 8217, 8656, 9063, 9492, 9925, 10390, 10813,
    11229, 11638, 12088,
)  # fmt: skip
"""The same of films that have negative reviews only."""

_CUTS = {
    1: [positive for positive, _ in _CUTS_OF_BOTH],
    0: [*(negative for _, negative in _CUTS_OF_BOTH), *_CUTS_OF_NEGATIVE],
}


def films_of(file: str, label: int) -> int | None:
    """Which of 50 groups of films a training review is of, or None if its file is not named like IMDB's.

    The first 30 groups have some 417 positive and 132 negative reviews each, the others 427 negative ones.

    Args:
        file: its name: number and rating, such as `123_9.txt`.
        label: 1 for positive, 0 for negative.
    """
    number = file.partition("_")[0]
    return bisect_right(_CUTS[label], int(number)) if number.isascii() and number.isdigit() else None
