"""Schemas of datasets: what items must be, and views of them (Apify docs: dataset schema). Pure.

``display`` of a view is for consoles: it is kept and shown, and changes no items.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from actor_operator.services.errors import ApiError, invalid
from actor_operator.services.item_schema import ItemSchemaError, Validator, compile_item_schema
from actor_operator.services.transformation import Transformation

VERSION = 1
"""``actorSpecification``: the only one there is."""

MOST_VIEWS = 100
"""Views of a schema."""


@dataclass(frozen=True, slots=True)
class View:
    """A view of the items.

    Parameters
    ----------
    transformation
        What is done with each of them.
    limit
        Most of them that it has; 0: no limit.
    desc
        Whether the newest come first.
    """

    transformation: Transformation
    limit: int = 0
    desc: bool = False


WHOLE = View(Transformation())
"""What one sees without a view."""


@dataclass(frozen=True, slots=True)
class DatasetSchema:
    """A schema, ready for use.

    Parameters
    ----------
    validator
        What every item must pass; None: everything is an item.
    views
        The views by name.
    """

    validator: Validator | None
    views: Mapping[str, View]

    def view(self, name: str) -> View:
        """The view of a name.

        Raises
        ------
        ApiError
            400 when there is none.
        """
        found = self.views.get(name)
        if found is None:
            raise invalid(
                f'The schema of the dataset has no view "{name[:100]}".',
                "requested-dataset-view-does-not-exist",
            )
        return found


class _ViewOptions(msgspec.Struct, rename="camel", frozen=True):
    """``transformation`` of a view, as it is written."""

    fields: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    unwind: tuple[str, ...] = ()
    flatten: tuple[str, ...] = ()
    limit: int = 0
    desc: bool = False
    clean: bool = False
    skip_hidden: bool = False
    skip_empty: bool = False


class _ViewForm(msgspec.Struct, rename="camel", frozen=True):
    """A view as it is written."""

    transformation: _ViewOptions = _ViewOptions()


class _Form(msgspec.Struct, rename="camel", frozen=True):
    """A schema as it is written."""

    actor_specification: int = VERSION
    fields: Any = None
    views: dict[str, _ViewForm] | None = None


def read_schema(text: bytes) -> DatasetSchema:
    """Make a schema ready.

    Parameters
    ----------
    text
        JSON.

    Raises
    ------
    ApiError
        400 dataset-schema-invalid.
    """
    try:
        form = msgspec.json.decode(text, type=_Form)
        validator = None if form.fields is None else compile_item_schema(form.fields)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _invalid(str(error)) from None
    except ItemSchemaError as error:
        raise _invalid(f"fields: {error}") from None
    if form.actor_specification != VERSION:
        raise _invalid(f"actorSpecification must be {VERSION}")
    if form.fields is None and form.views is None:
        raise _invalid("it has neither fields, the JSON Schema of an item, nor views")
    views = form.views or {}
    if len(views) > MOST_VIEWS:
        raise _invalid(f"it has more than {MOST_VIEWS} views")
    return DatasetSchema(
        validator, {name: _view(name, view.transformation) for name, view in views.items()}
    )


def check_schema(value: Any) -> bytes:
    """Look at a schema that a client gives.

    Parameters
    ----------
    value
        JSON, decoded.

    Returns
    -------
    bytes
        The text to keep.

    Raises
    ------
    ApiError
        400 dataset-schema-invalid.
    """
    text = msgspec.json.encode(value)
    read_schema(text)
    return text


def _view(name: str, options: _ViewOptions) -> View:
    if not 0 <= options.limit <= 2**53:
        raise _invalid(f"limit of the view {name[:100]} must be a number of items")
    transformation = Transformation(
        fields=options.fields,
        omit=options.omit,
        unwind=options.unwind,
        flatten=options.flatten,
        skip_hidden=options.skip_hidden or options.clean,
        skip_empty=options.skip_empty or options.clean,
    )
    return View(transformation, options.limit, options.desc)


def _invalid(why: str) -> ApiError:
    return invalid(f"The schema of the dataset cannot be used: {why}.", "dataset-schema-invalid")
