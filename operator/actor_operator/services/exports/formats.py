"""The formats by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actor_operator.services.errors import invalid
from actor_operator.services.exports.csv_table import CsvExport
from actor_operator.services.exports.export import Export
from actor_operator.services.exports.html_table import HtmlExport
from actor_operator.services.exports.json_lines import JsonExport, JsonLinesExport
from actor_operator.services.exports.rss_feed import RssExport
from actor_operator.services.exports.xlsx_table import XlsxExport
from actor_operator.services.exports.xml_items import XmlExport


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How items are written.

    Parameters
    ----------
    format
        Name of the format.
    delimiter
        What stands between values of CSV.
    bom
        Whether a text begins with the mark of UTF-8; None: CSV does.
    xml_root, xml_row
        Names of elements of XML.
    skip_header_row
        Whether CSV has no line with the names of the columns.
    feed_title, feed_description, feed_link
        What a feed says of itself.
    """

    format: str = "json"
    delimiter: str = ","
    bom: bool | None = None
    xml_root: str = "items"
    xml_row: str = "item"
    skip_header_row: bool = False
    feed_title: str = ""
    feed_description: str = ""
    feed_link: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Parameters
    ----------
    media_type
        For the header ``Content-Type``.
    make
        Makes the export, from the options and the names of all columns.
    is_table
        Whether it needs the columns.
    is_binary
        Whether it is no text, and is made in a file of its own.
    is_active
        Whether a browser might run what users have written.
    """

    media_type: str
    make: Callable[[FileOptions, Sequence[str]], Export]
    is_table: bool = False
    is_binary: bool = False
    is_active: bool = False


def _csv(options: FileOptions, columns: Sequence[str]) -> Export:
    return CsvExport(columns, options.delimiter, header=not options.skip_header_row)


def _xml(options: FileOptions, _: Sequence[str]) -> Export:
    return XmlExport(options.xml_root, options.xml_row)


def _rss(options: FileOptions, _: Sequence[str]) -> Export:
    return RssExport(options.feed_title, options.feed_description, options.feed_link)


FORMATS = {
    "json": Format("application/json; charset=utf-8", lambda _options, _columns: JsonExport()),
    "jsonl": Format(
        "application/x-ndjson; charset=utf-8", lambda _options, _columns: JsonLinesExport()
    ),
    "csv": Format("text/csv; charset=utf-8", _csv, is_table=True),
    "xlsx": Format(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda _, columns: XlsxExport(columns),
        is_table=True,
        is_binary=True,
    ),
    "html": Format(
        "text/html; charset=utf-8",
        lambda _, columns: HtmlExport(columns),
        is_table=True,
        is_active=True,
    ),
    "xml": Format("application/xml; charset=utf-8", _xml, is_active=True),
    "rss": Format("application/rss+xml; charset=utf-8", _rss, is_active=True),
}
"""All formats (Apify)."""


def format_of(options: FileOptions) -> Format:
    """The format that is asked for.

    Raises
    ------
    ApiError
        400 for an unknown format, or options that it cannot have.
    """
    found = FORMATS.get(options.format)
    if found is None:
        raise invalid(f"format must be one of {', '.join(FORMATS)}.", "param-not-one-of")
    if not found.is_binary:
        found.make(options, ())  # looks at the options
    return found
