import csv
import io
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.services.errors import ApiError
from actor_operator.services.exports.csv_table import CsvExport
from actor_operator.services.exports.export import Export
from actor_operator.services.exports.formats import FORMATS, FileOptions, format_of
from actor_operator.services.exports.html_table import HtmlExport
from actor_operator.services.exports.json_lines import JsonExport, JsonLinesExport
from actor_operator.services.exports.rss_feed import RssExport
from actor_operator.services.exports.table import MAX_COLUMNS, Columns
from actor_operator.services.exports.xlsx_table import MAX_CELL, XlsxExport
from actor_operator.services.exports.xml_items import XmlExport
from actor_operator.services.items import MAX_DEPTH
from actor_operator.services.json_values import Item, read_item

# What no text of XML can have, and what its parsers take for the same, is left to single tests.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]))
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=10)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(NAMES, TEXTS, min_size=1, max_size=4), min_size=1, max_size=6)


def read(items: Sequence[Any]) -> list[Item]:
    return [read_item(msgspec.json.encode(item)) for item in items]


def columns_of(items: Sequence[Any], fields: tuple[str, ...] = ()) -> list[str]:
    columns = Columns(fields)
    columns.add(read(items))
    return columns.names()


def write(export: Export, *portions: Sequence[Any]) -> bytes:
    try:
        parts = [export.begin(), *(export.rows(read(items)) for items in portions)]
        return b"".join([*parts, *export.end()])
    finally:
        export.close()


def sheet_of(items: Sequence[Any]) -> list[tuple[Any, ...]]:
    file = io.BytesIO(write(XlsxExport(columns_of(items)), items))
    book = openpyxl.load_workbook(file, read_only=True)
    try:
        rows = book["Items"].iter_rows(values_only=True)
        return [tuple(row) for row in rows]
    finally:
        book.close()


@given(portions=st.lists(st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=3)))
def test_json_of_portions_is_one_array(portions: list[list[Any]]) -> None:
    items = [item for portion in portions for item in portion]
    assert msgspec.json.decode(write(JsonExport(), *portions)) == items


@given(portions=st.lists(st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=3)))
def test_json_lines_has_a_line_for_each_item(portions: list[list[Any]]) -> None:
    items = [item for portion in portions for item in portion]
    assert msgspec.json.Decoder().decode_lines(write(JsonLinesExport(), *portions)) == items


@given(rows=ROWS, delimiter=st.sampled_from([",", ";", "\t", "|"]))
def test_csv_is_read_back_as_it_was(rows: list[dict[str, str]], delimiter: str) -> None:
    columns = columns_of(rows)
    text = write(CsvExport(columns, delimiter), rows).decode()
    back = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert back[0] == columns
    assert back[1:] == [[row.get(name, "") for name in columns] for row in rows]


@given(text=st.text())
def test_every_text_survives_csv(text: str) -> None:
    written = write(CsvExport(["a", "b"]), [{"a": text, "b": "end"}]).decode()
    assert list(csv.reader(io.StringIO(written, newline="")))[1] == [text, "end"]


def test_csv_shows_values_as_they_were_sent_and_formulas_as_they_are() -> None:
    item = read_item(b'{"n":1.50,"t":true,"z":null,"s":"=1+1","o":{"x":[1,{"y":"v"}]},"e":[]}')
    columns = Columns()
    columns.add([item])
    assert columns.names() == ["n", "t", "z", "s", "o/x/0", "o/x/1/y"]
    export = CsvExport(columns.names())
    assert export.rows([item]) == b"1.50,true,,=1+1,1,v\n"


def test_csv_without_header_has_only_rows() -> None:
    assert write(CsvExport(["a"], header=False), [{"a": 1}]) == b"1\n"


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "\r", "\0"])
def test_a_delimiter_that_cannot_be_is_refused(delimiter: str) -> None:
    with pytest.raises(ApiError, match="delimiter"):
        CsvExport([], delimiter)


@given(rows=ROWS)
def test_a_workbook_is_read_back_as_it_was(rows: list[dict[str, str]]) -> None:
    columns = columns_of(rows)
    found = sheet_of(rows)
    assert found[0] == tuple(columns)
    expected = [tuple(row.get(name) or None for name in columns) for row in rows]
    assert [tuple(value or None for value in row) for row in found[1:]] == expected


def test_a_workbook_keeps_kinds_of_values() -> None:
    item = {"n": 1.5, "i": 7, "big": 2**60, "t": True, "z": None, "f": "=1+1", "u": "http://x"}
    assert sheet_of([item])[1] == (1.5, 7, str(2**60), True, None, "=1+1", "http://x")


def test_a_text_that_is_too_long_for_a_cell_is_cut() -> None:
    assert sheet_of([{"a": "x" * (MAX_CELL + 9)}])[1] == ("x" * MAX_CELL,)


@given(rows=ROWS)
def test_xml_is_read_back_as_it_was(rows: list[dict[str, str]]) -> None:
    names = {name: f"f{name}" for row in rows for name in row}
    renamed = [{names[name]: text for name, text in row.items()} for row in rows]
    root = ET.fromstring(write(XmlExport(), renamed))  # noqa: S314 -- our own
    assert root.tag == "items"
    assert [{e.tag: e.text or "" for e in item} for item in root] == renamed


@given(item=st.dictionaries(st.text(), JSON, max_size=4))
def test_whatever_an_item_has_its_xml_and_its_feed_are_well_formed(item: dict[str, Any]) -> None:
    ET.fromstring(write(XmlExport("r", "i"), [item]))  # noqa: S314 -- our own
    ET.fromstring(write(RssExport("t<", "d&", "http://l"), [item]))  # noqa: S314 -- our own


def test_xml_follows_the_rules_for_attributes_content_and_arrays() -> None:
    item = {
        "name": "Paul",
        "address": [
            {"@": {"type": "home"}, "street": "21st", "city": None},
            {"@": {"type": 'o"<'}, "#": "unknown"},
        ],
        "tags": ["a", ["b"]],
    }
    assert write(XmlExport(), [item]).decode().splitlines()[2] == (
        '<item><name>Paul</name><address type="home"><street>21st</street><city/></address>'
        '<address type="o&quot;&lt;">unknown</address><tags>a</tags><tags>b</tags></item>'
    )


@pytest.mark.parametrize("name", ["", "a b", "1a", "<x>", "a:b"])
def test_names_of_xml_elements_are_checked(name: str) -> None:
    with pytest.raises(ApiError, match="xmlRoot"):
        XmlExport(root=name)
    with pytest.raises(ApiError, match="xmlRow"):
        XmlExport(row=name)


def test_a_feed_says_what_it_is() -> None:
    root = ET.fromstring(  # noqa: S314 -- our own
        write(RssExport("Title", "About", "http://l"), [{"title": "x"}])
    )
    channel = root.find("channel")
    assert channel is not None
    assert [channel.findtext(tag) for tag in ("title", "link", "description")] == [
        "Title",
        "http://l",
        "About",
    ]
    assert channel.findtext("item/title") == "x"


@given(rows=ROWS)
def test_html_has_a_row_for_each_item(rows: list[dict[str, str]]) -> None:
    page = write(HtmlExport(columns_of(rows)), rows).decode()
    assert page.count("<tr>") == len(rows) + 1


def test_html_shows_text_as_text() -> None:
    page = write(HtmlExport(["<b>"]), [{"<b>": "<script>"}]).decode()
    assert "<script>" not in page
    assert "&lt;b&gt;" in page


def test_columns_of_a_field_stand_together_in_the_order_of_the_fields() -> None:
    items = [{"b": [1]}, {"a": 1, "b": [1, 2]}, {"c": {"x": 1}}]
    assert columns_of(items) == ["b/0", "b/1", "a", "c/x"]
    assert columns_of(items, ("c", "a", "z", "b")) == ["c/x", "a", "z", "b/0", "b/1"]


def test_a_path_that_is_asked_for_needs_no_column_of_its_own() -> None:
    assert columns_of([{"a": {"b": 1}}], ("a.b", "z")) == ["a/b", "z"]


def test_more_columns_than_a_table_can_have_are_refused() -> None:
    columns_of([{f"c{number}": 1 for number in range(MAX_COLUMNS)}])
    with pytest.raises(ApiError, match="2000 columns"):
        columns_of([{f"c{number}": 1 for number in range(MAX_COLUMNS + 1)}])


def test_too_long_a_name_of_a_column_is_refused() -> None:
    with pytest.raises(ApiError, match="201 symbols"):
        columns_of([{"x" * 201: 1}])


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_takes_items_that_are_nested_as_deeply_as_can_be(name: str) -> None:
    item = read_item(b'{"a":' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1))
    columns = Columns()
    if FORMATS[name].is_table:
        columns.add([item])
    export = format_of(FileOptions(format=name)).make(FileOptions(format=name), columns.names())
    try:
        parts = [export.begin(), export.rows([item]), *export.end()]
    finally:
        export.close()
    assert b"".join(parts)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ApiError, match="format must be one of json"):
        format_of(FileOptions(format="pdf"))
