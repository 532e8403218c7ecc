"""A file of unknown origin becomes a tree that knows its places, or is refused in one sentence, soon."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.sweeps.yaml_tree import InvalidYaml, read_yaml


def plain(text: str) -> Any:
    return [node.plain() for node in read_yaml(text.encode())]


def refusal(content: bytes | str) -> InvalidYaml:
    with pytest.raises(InvalidYaml) as error:
        read_yaml(content if isinstance(content, bytes) else content.encode())
    return error.value


def test_values_are_those_of_yaml_1_2() -> None:
    text = "a: 1e-4\nb: 1E-4\nc: 0o17\nd: yes\ne: true\nf: ~\ng: 2026-11-27\nh: 012\ni: '5'\nj: !!str 5"
    values = {
        "a": 1e-4,
        "b": 1e-4,
        "c": 15,
        "d": "yes",
        "e": True,
        "f": None,
        "g": "2026-11-27",
        "h": 12,
        "i": "5",
        "j": "5",
    }
    assert plain(text) == [values]


KEYS = st.text(max_size=80)  # YAML takes keys of 1,024 characters, and JSON may escape one with twelve
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None)
@given(value=st.dictionaries(KEYS, JSON, max_size=4), indent=st.sampled_from([None, 2, "\t"]))
def test_json_is_read_as_json(value: dict[str, Any], indent: int | str | None) -> None:
    if "<<" in str(value):
        return
    assert plain(json.dumps(value, indent=indent)) == [value]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab: -\n[]{},&*!|>'\"#?%@\t\\0\u00e9\u2028\U0001f600", max_size=40))
def test_any_text_is_a_tree_or_refused(text: str) -> None:
    with suppress(InvalidYaml):
        read_yaml(text.encode())


def test_each_value_knows_its_place() -> None:
    [node] = read_yaml(b"a: 1\nb:\n  - c\n  - {d: [1, 22]}\n")
    for place, key, line, column in [
        (("a",), False, 1, 4),
        (("b",), True, 2, 1),
        (("b", 1, "d", 1), False, 4, 13),
        (("b", 1, "d"), True, 4, 6),
        (("b", 7), False, 3, 3),
        (("no", "such"), False, 1, 1),
    ]:
        found = node.at(place, key=key)
        assert (found.line, found.column) == (line, column), place


def test_empty_documents_and_a_byte_order_mark_are_passed_over() -> None:
    assert plain("\ufeff# nothing\n---\n---\na: 1\n---\n") == [{"a": 1}]
    assert plain("") == []


def test_an_alias_stands_for_its_anchor_and_own_keys_come_before_merged_ones() -> None:
    text = "- &base {epochs: 2, units: 64}\n- {<<: *base, units: 128}\n- {units: 1, <<: [*base]}\n- *base"
    base = {"epochs": 2, "units": 64}
    assert plain(text) == [[base, {**base, "units": 128}, {**base, "units": 1}, base]]


HOSTILE = {
    "python tags": ("a: !!python/object/apply:os.system ['ls']", "no tag"),
    "other tags": ("!x {a: 1}", "no tag"),
    "sets": ("!!set {a}", "no tag"),
    "a key twice": ("a: 1\nb: 2\na: 3", "each key once"),
    "an alias in itself": ("&a [*a]", "an alias of an anchor that ends before it in the same document"),
    "an alias of nothing": ("a: *b", "an alias of an anchor that ends before it in the same document"),
    "keys that are no text": ("1: 2", "a key that is text"),
    "keys that are lists": ("? [a]\n: 2", "a key that is text"),
    "merging a scalar": ("<<: 3", "a mapping, or a list of mappings, after <<"),
    "infinity": ("a: .inf", "a finite number"),
    "a number beyond floats": ("a: 1e999", "a finite number"),
    "not a number": ("a: .nan", "a finite number"),
    "an integer of 5,000 digits": ("a: " + "9" * 5_000, "a value of the type int"),
    "half a surrogate": ('a: "\\ud83d"', "text"),
    "NUL": ("a: \x00", "YAML"),
    "UTF-16": ("a: 1".encode("utf-16"), "text in UTF-8"),
    "another version": ("%YAML 3.0\n---\na: 1", "YAML"),
    "an open quote": ("a: 'x", "YAML"),
    "a tab": ("a:\n\tb: 1", "YAML"),
    "depth": ("[" * 10_000, "at most 16 levels"),
    "depth by aliases": ("".join(f"- &a{i} [{f'*a{i - 1}' if i else 1}]\n" for i in range(99)), "at most 16 levels, with what aliases repeat"),
    "ten thousand documents": ("---\nname: a\nmodel: b\n" * 10_000, "at most 10,000 keys and values"),
    "many values": ("[" + "1," * 60_000 + "]", "at most 10,000 keys and values"),
    "a billion laughs": (
        "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else 'ha'] * 9)}]\n" for i in range(12)),
        "at most 40,000 values, with what aliases repeat",
    ),
    "a large file": (b"# \n" * 100_000, "at most 256 kB"),
    "a tag without end": ("!" + "a" * 200_000, "no tag"),
    "many lines of one text": ("a: 'b\n" + "  a\n" * 60_000, "YAML"),
    "many directives": ("%a b\n" * 50_000, "YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_no_sweep_needs_is_refused_within_two_seconds(name: str) -> None:
    content, expected = HOSTILE[name]
    start = time.process_time()
    assert refusal(content).expected == expected
    assert time.process_time() - start < 2
