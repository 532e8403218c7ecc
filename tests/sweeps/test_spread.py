import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.sweeps.distributions import Distribution
from jobs.sweeps.spread import count_points, count_values, has_point, has_value, rounded, value_at
from tests.sweeps.simulated import integers, log_uniform, uniform, values

EXAMPLES = [
    values("a", "b", "c"),
    values((1, 2), (3,)),
    integers(-3, 12),
    uniform(-2.5, 7.5),
    uniform(0.1, 0.9, q=0.1),
    uniform(10, 100, q=16),
    log_uniform(1e-6, 1e3),
    Distribution(distribution="log_uniform_values", min=3, max=300, q=5),
]


@pytest.mark.parametrize("distribution", EXAMPLES, ids=str)
@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_every_share_has_a_value_of_the_distribution(distribution, share):
    assert has_value(distribution, value_at(distribution, share))


@pytest.mark.parametrize("distribution", [each for each in EXAMPLES if count_values(each)], ids=str)
def test_counted_values_are_all_drawn(distribution):
    drawn = {value_at(distribution, i / 3_000) for i in range(3_000)}

    assert len(drawn) == count_values(distribution)


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (values("a", "b", "c"), ["a", "b", "c"]),
        (integers(1, 3), [1, 2, 3]),
        (uniform(0.1, 0.35, q=0.1), [0.1, 0.2, 0.3]),
        (uniform(10, 100, q=32), [32, 64, 96]),
    ],
)
def test_listed_values_integers_and_multiples_have_equal_shares(distribution, expected):
    drawn = [value_at(distribution, i / 300) for i in range(300)]

    assert [(value, drawn.count(value)) for value in expected] == [(value, 100) for value in expected]
    assert {type(value) for value in drawn} == {type(expected[0])}


def test_a_log_scale_gives_each_decade_the_same_share():
    drawn = [value_at(log_uniform(1e-4, 1e-1), i / 300) for i in range(300)]

    assert [sum(low <= value < 10 * low for value in drawn) for low in (1e-4, 1e-3, 1e-2)] == [100] * 3


def test_drawn_numbers_read_well_and_stay_within_their_limits():
    assert value_at(log_uniform(1e-4, 1e-2), 0.123456789) == 0.0001765686
    assert value_at(uniform(0, 1), 1 / 3) == 0.333333
    assert value_at(uniform(1_000_000, 1_000_001), 1 / 3) == 1_000_000.333333
    assert rounded(uniform(1 / 3, 2 / 3), 1 / 3) == 1 / 3
    assert rounded(uniform(0, 1e9), 123_456_789.123) == 123_457_000


def test_points_are_counted_where_they_can_be():
    assert count_points({"a": values(1, 2, 2), "b": integers(1, 5)}) == 10
    assert count_points({"a": values(1, 2), "b": uniform(0, 1)}) is None
    assert count_points({}) == 1


def test_a_point_with_another_value_or_parameter_is_none_of_the_points():
    varied = {"a": values(1, 2), "b": uniform(0, 1, q=0.25)}

    assert has_point(varied, {"a": 2, "b": 0.75})
    assert not has_point(varied, {"a": 3, "b": 0.75})
    assert not has_point(varied, {"a": 2, "b": 0.7})
    assert not has_point(varied, {"a": 2})
    assert not has_value(uniform(0, 1), "0.5")
