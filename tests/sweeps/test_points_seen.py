from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.sweeps.points_seen import Seen, read_seen, write_seen

SEEN = st.dictionaries(st.integers(0, 60), st.tuples(st.integers(0, 3), st.booleans())).map(
    lambda by_number: [Seen(rung, failed, number) for number, (rung, failed) in by_number.items()]
)


@settings(max_examples=60, deadline=None)
@given(SEEN)
def test_what_was_seen_is_read_as_it_was_written(seen):
    assert read_seen(write_seen(seen)) == sorted(seen, key=lambda each: each.number)


def test_neighbours_are_written_together():
    seen = [Seen(0, False, n) for n in (0, 1, 2, 5)] + [Seen(1, False, 4), Seen(0, True, 3)]

    assert write_seen(seen) == "0-2,5@0 3@0! 4@1"
    assert write_seen([]) == ""
    assert len(write_seen([Seen(0, False, n) for n in range(5000)])) < 10
