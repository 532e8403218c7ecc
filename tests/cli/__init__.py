import pytest

pytest.register_assert_rewrite("tests.cli.program", "tests.cli.hostile_world")
