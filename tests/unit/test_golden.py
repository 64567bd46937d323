"""The helper for golden files."""

from pathlib import Path

import pytest
import yaml
from tests.support.golden import ANY, Golden, GoldenError, first_difference


@pytest.mark.parametrize(
    ("expected", "actual", "difference"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": ANY}, {"a": [1, 2]}, None),
        ([1, ANY, 3], [1, 2, 3], None),
        ({"a": 1}, {"a": 2}, "$.a is 2, expected 1"),
        ({"a": 1}, {"a": True}, "$.a is True, expected 1"),
        ({"a": 1}, {}, "$.a is missing"),
        ({}, {"a": 1}, "$.a is there, and should not be"),
        ([1], [1, 2], "$ has 2 items, expected 1"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "$.a[0].b is 2, expected 1"),
    ],
)
def test_the_first_difference_is_told(
    expected: object, actual: object, difference: str | None
) -> None:
    assert first_difference(expected, actual) == difference


def test_a_file_that_does_not_exist_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match="does not exist"):
        Golden(tmp_path).check("thing", {})


def test_a_difference_is_a_failure_that_names_file_and_place(tmp_path: Path) -> None:
    (tmp_path / "thing.yaml").write_text("a: 1\n")

    with pytest.raises(GoldenError, match=r"thing\.yaml: \$\.a is 2, expected 1"):
        Golden(tmp_path).check("thing", {"a": 2})
    Golden(tmp_path).check("thing", {"a": 1})


def test_an_update_writes_what_came_out_and_keeps_wildcards(tmp_path: Path) -> None:
    path = tmp_path / "thing.yaml"
    path.write_text(f'a: "{ANY}"\nb: [1, "{ANY}"]\nold: 1\n')
    actual = {"a": 5, "b": [2, 3], "new": "x"}

    Golden(tmp_path, update=True).check("thing", actual)

    assert yaml.safe_load(path.read_text()) == {"a": ANY, "b": [2, ANY], "new": "x"}
    Golden(tmp_path).check("thing", actual)


def test_an_update_makes_the_file_and_its_folder(tmp_path: Path) -> None:
    Golden(tmp_path / "new", update=True).check("thing", {"a": 1})

    Golden(tmp_path / "new").check("thing", {"a": 1})
