"""The environment as a source of settings, in the names of the settings file."""

from typing import Any

from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, EnvSettingsSource
from typing_extensions import override


class Environment(EnvSettingsSource):
    """Variables with a prefix; file and environment may both set parts of the same group.

    Parameters
    ----------
    settings_cls
        The settings.
    env_prefix
        What every variable begins with.
    """

    def __init__(self, settings_cls: type[BaseSettings], *, env_prefix: str) -> None:
        # "all": else the camelCase names would be read without the prefix (NAMESPACE, LOG, POD).
        super().__init__(settings_cls, env_prefix=env_prefix, env_prefix_target="all")

    @override
    def __call__(self) -> dict[str, Any]:
        return _named_as_in_files(super().__call__(), self.settings_cls)


def _named_as_in_files(values: dict[str, Any], group: Any) -> dict[str, Any]:
    """Values under camelCase names; keys of what is no group are the user's and stay."""
    inner = {to_camel(name): field.annotation for name, field in group.model_fields.items()}
    named = {to_camel(name): value for name, value in values.items()}
    return {
        name: _named_as_in_files(value, inner[name])
        if isinstance(value, dict) and hasattr(inner.get(name), "model_fields")
        else value
        for name, value in named.items()
    }
