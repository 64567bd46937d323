import msgspec

from actor_operator.services.dataset_statistics import FieldStatistics


def test_each_kind_of_value_has_its_measure() -> None:
    statistics = FieldStatistics()
    statistics.add(
        msgspec.json.encode(item)
        for item in (
            {"number": 5, "text": "abc", "list": [1], "object": {"a": 1, "b": 2}},
            {"number": -1.5, "text": "", "list": [], "object": {}, "flag": True},
            {"number": None, "text": "ab"},
        )
    )
    assert statistics.describe() == {
        "number": {"min": -1.5, "max": 5, "nullCount": 1, "emptyCount": 0},
        "text": {"min": 0, "max": 3, "nullCount": 0, "emptyCount": 0},
        "list": {"min": 0, "max": 1, "nullCount": 0, "emptyCount": 1},
        "object": {"min": 0, "max": 2, "nullCount": 0, "emptyCount": 1},
        "flag": {"min": None, "max": None, "nullCount": 0, "emptyCount": 2},
    }


def test_numbers_beyond_all_measure_are_no_trouble() -> None:
    statistics = FieldStatistics()
    statistics.add([b'{"a":1e999}', b'{"a":123456789012345678901234567890}'])
    assert statistics.describe()["a"]["nullCount"] == 0
