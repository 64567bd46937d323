"""``actorctl settings``: what can be set, as a schema and as a commented file of the defaults."""

import json
import textwrap
from typing import Any

import click
import yaml
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

from actor_operator.settings import Settings

COMMENT_WIDTH = 96
"""Width in characters at which comments are wrapped."""


class _SchemaWithoutTitles(GenerateJsonSchema):
    """Leaves out titles that only repeat the name of the field."""

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@click.group()
def settings() -> None:
    """Show what can be set."""


@settings.command("schema")
def print_schema() -> None:
    """Print the JSON schema of the settings file."""
    click.echo(json.dumps(settings_schema(), indent=2))


@settings.command("defaults")
def print_defaults() -> None:
    """Print a settings file with every setting, its default and what it does."""
    click.echo(default_settings_yaml(), nl=False)


def settings_schema() -> dict[str, Any]:
    """The JSON schema of the settings file, as the operator reads it."""
    return Settings.model_json_schema(schema_generator=_SchemaWithoutTitles)


def default_settings_yaml(*, leave_out: frozenset[str] = frozenset()) -> str:
    """Every setting with its default, below a comment that says what it does.

    A setting that has no default is a comment.

    Parameters
    ----------
    leave_out
        Settings that the caller fills in itself, such as ``api.enabled``.
    """
    defaults = Settings.model_construct().model_dump(mode="json", by_alias=True)
    return "\n".join(_lines(Settings, defaults, leave_out=leave_out)) + "\n"


def _lines(
    group: type[BaseModel], defaults: dict[str, Any], *, leave_out: frozenset[str] = frozenset()
) -> list[str]:
    lines: list[str] = []
    for field_name, field in group.model_fields.items():
        name = to_camel(field_name)
        if name in leave_out:
            continue
        comment = (field.description or "").replace("``", "")
        lines += textwrap.wrap(
            comment,
            COMMENT_WIDTH,
            initial_indent="# ",
            subsequent_indent="# ",
            break_on_hyphens=False,
        )
        value, kind = defaults[name], field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            below = {path.removeprefix(f"{name}.") for path in leave_out if f"{name}." in path}
            inside = _lines(kind, value, leave_out=frozenset(below))
            empty = all(line.startswith("#") for line in inside)
            lines += [
                f"{name}: {{}}" if empty else f"{name}:",
                *textwrap.indent("\n".join(inside), "  ").split("\n"),
            ]
        elif value is None:
            lines.append(f"# {name}:")
        else:
            lines.append(yaml.safe_dump({name: _plain(value)}, default_flow_style=False).strip())
    return lines


def _plain(value: Any) -> Any:
    """15 reads better than 15.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
