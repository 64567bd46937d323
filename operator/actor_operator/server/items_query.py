"""Query parameters of requests for items of a dataset."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from actor_operator.server.parameters import comma_list
from actor_operator.services.datasets import ItemsRequest
from actor_operator.services.exports.formats import FileOptions
from actor_operator.services.transformation import Transformation


class ItemsQuery(BaseModel):
    """The parameters (Apify, "Get dataset items")."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    format: str = Field("json", description="json, jsonl, csv, xlsx, html, xml or rss.")
    offset: int = Field(0, ge=0, le=2**53, description="How many items to leave out at first.")
    limit: int = Field(0, ge=0, le=2**53, description="At most so many items; 0: all.")
    desc: bool = Field(default=False, description="The newest items first.")
    clean: bool = Field(default=False, description="The same as skipHidden and skipEmpty.")
    fields_: str = Field("", alias="fields", description="Only these fields (by commas).")
    output_fields: str = Field("", description="New names of those fields (by commas).")
    omit: str = Field("", description="Without these fields (by commas).")
    unwind: str = Field("", description="Fields whose elements become items (by commas).")
    flatten: str = Field("", description="Fields whose fields come up, with dots (by commas).")
    skip_hidden: bool = Field(default=False, description="Without fields that begin with #.")
    skip_empty: bool = Field(default=False, description="Without items that have no fields.")
    simplified: bool = Field(default=False, description="For results of a former product.")
    skip_failed_pages: bool = Field(default=False, description="Without items with errorInfo.")
    view: str = Field("", description="A view of the dataset's schema.")
    attachment: bool = Field(default=False, description="As a file to be saved.")
    delimiter: str = Field(",", description="What stands between values of CSV.")
    bom: bool | None = Field(None, description="Whether a mark of UTF-8 stands first.")
    xml_root: str = Field("items", description="Name of the outermost element of XML.")
    xml_row: str = Field("item", description="Name of the element of an item in XML.")
    skip_header_row: bool = Field(default=False, description="CSV without names of columns.")
    feed_title: str = Field("", description="Title of the feed.")
    feed_description: str = Field("", description="Description of the feed.")

    def to_request(self) -> ItemsRequest:
        """What is asked for."""
        return ItemsRequest(
            offset=self.offset,
            limit=self.limit,
            desc=self.desc,
            transformation=self._transformation(),
            options=FileOptions(
                format=self.format,
                delimiter=self.delimiter,
                bom=self.bom,
                xml_root=self.xml_root,
                xml_row=self.xml_row,
                skip_header_row=self.skip_header_row,
                feed_title=self.feed_title,
                feed_description=self.feed_description,
            ),
            view=self.view,
            as_attachment=self.attachment,
        )

    def _transformation(self) -> Transformation:
        asked = Transformation(
            fields=comma_list(self.fields_),
            output_fields=comma_list(self.output_fields),
            omit=comma_list(self.omit),
            unwind=comma_list(self.unwind),
            flatten=comma_list(self.flatten),
            skip_hidden=self.skip_hidden or self.clean,
            skip_empty=self.skip_empty or self.clean,
            skip_failed=self.skip_failed_pages,
        )
        return asked.simplified() if self.simplified else asked


def items_query(query: Annotated[ItemsQuery, Query()]) -> ItemsRequest:
    """Dependency of routes: which items are asked for."""
    return query.to_request()
