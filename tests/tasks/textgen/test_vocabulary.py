"""A vocabulary comes back as it was written, and names what it lacks."""

from pathlib import Path

import pytest

from jobs.errors import InvalidData
from worker.tasks.textgen.vocabulary import Vocabulary, quoted


def test_a_vocabulary_is_read_as_it_was_written(tmp_path: Path) -> None:
    vocabulary = Vocabulary("".join(sorted('\n\t "\\</script>é\u2028🎻')))
    vocabulary.write(tmp_path / "vocabulary.json")
    assert Vocabulary.read(tmp_path / "vocabulary.json") == vocabulary


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"characters": 3}', '{"characters": ["b", "a"]}', '{"characters": ["ab"]}']
)
def test_what_is_no_vocabulary_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "vocabulary.json").write_text(content)
    with pytest.raises(
        InvalidData, match=r"vocabulary\.json: expected a sorted list of characters, .* got some"
    ):
        Vocabulary.read(tmp_path / "vocabulary.json")


def test_unknown_characters_are_named_once_each() -> None:
    codes, unknown = Vocabulary("abc").encode("a\tb🎻\ud83dc🎻")
    assert codes.tolist() == [0, 1, 2]
    assert quoted(unknown) == r"'\t', '🎻', '\ud83d'"
    assert quoted("abcdefghijklm").endswith("'j' and 3 more")


def test_a_missing_vocabulary_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidData) as caught:
        Vocabulary.read(tmp_path / "vocabulary.json")
    assert str(caught.value).endswith("as a training job writes it, got no such file or directory")
    assert caught.value.hint == "train the model again"


def test_a_character_is_known_by_each_of_its_forms() -> None:
    apart, ohm = Vocabulary("ae\u0301"), Vocabulary("\N{OHM SIGN}")
    assert apart.encode("aé")[0].tolist() == [0, 1, 2]
    assert apart.encode("é")[1] == ""
    assert Vocabulary("é").encode("é")[0].tolist() == [0]
    assert ohm.encode("\N{GREEK CAPITAL LETTER OMEGA}")[0].tolist() == [0]
    assert apart.encode("ò")[1] == "ò"
