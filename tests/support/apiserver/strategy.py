"""How objects of a kind are defaulted, checked and deleted; the plain case, which kinds refine."""

import re

from tests.support.apiserver.fields import FieldError, Object

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""DNS names of RFC 1123: the names of most kinds."""

SUBDOMAIN_SENTENCE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    r"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
"""What the server says of a name that is not one."""


class Strategy:
    """A kind without rules of its own."""

    longest_name = 253
    """Characters of a name."""

    def default(self, obj: Object) -> None:
        """Fill in, in place, what the client left out."""

    def default_status(self, obj: Object) -> None:
        """The same for a write of the status, in which nothing else can be new."""

    def prepare_create(self, obj: Object) -> None:
        """Set, in place, what only the server may set at creation."""

    def prepare_update(self, new: Object, old: Object) -> None:
        """Take back, in place, what an update of the main resource may not change."""

    def unknown_fields(self, obj: Object) -> list[str]:
        """Paths of fields that the kind does not have."""
        return []

    def validate(self, obj: Object) -> list[FieldError]:
        """Rules that hold for each version of the object."""
        return []

    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        """Rules between two versions of the main resource."""
        return []

    def validate_status(self, new: Object, old: Object) -> list[FieldError]:
        """Rules of a write to the status subresource."""
        return []

    def grace(self, obj: Object, asked: int | None) -> int:
        """Seconds that a deletion leaves the object, 0 for none."""
        return 0

    def begin_deletion(self, obj: Object) -> bool:
        """Change an object, in place, as its deletion starts. True if somebody will remove it."""
        return False

    def name_errors(self, name: str) -> list[FieldError]:
        """What is wrong with a name."""
        if len(name) > self.longest_name:
            sentence = f"must be no more than {self.longest_name} bytes"
            return [FieldError("metadata.name", "Invalid value", f'"{name}": {sentence}')]
        if not SUBDOMAIN.fullmatch(name):
            detail = f'"{name}": {SUBDOMAIN_SENTENCE}'
            return [FieldError("metadata.name", "Invalid value", detail)]
        return []
