"""A feed in RSS 2.0, in which every item has its fields as elements."""

from collections.abc import Iterable, Iterator

from typing_extensions import override

from actor_operator.services.exports.export import TextExport
from actor_operator.services.exports.xml_items import element, text
from actor_operator.services.json_values import Item


class RssExport(TextExport):
    """A channel of items.

    Parameters
    ----------
    title
        Title of the channel.
    description
        Its description.
    link
        Its address.
    """

    def __init__(self, title: str, description: str, link: str) -> None:
        self._title = title
        self._description = description
        self._link = link

    @override
    def begin(self) -> bytes:
        """The channel up to the first item."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>\n'
            f"<title>{text(self._title)}</title>\n"
            f"<link>{text(self._link)}</link>\n"
            f"<description>{text(self._description)}</description>\n"
        ).encode()

    def rows(self, items: Iterable[Item]) -> bytes:
        """Some more items."""
        return "".join(f"{element('item', item)}\n" for item in items).encode()

    @override
    def end(self) -> Iterator[bytes]:
        """The end of the channel."""
        yield b"</channel></rss>\n"
