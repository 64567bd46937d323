"""Named types of single values: texts, numbers, moments. Each is bounded."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer, WithJsonSchema

from actor_operator.api.fields import Matches
from actor_operator.constants import MAX_VARIABLE_BYTES
from actor_operator.quantities import MEMORY_STEPS

DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
"""Pattern of a namespace's name; its length is limited apart."""

NAME_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
"""Pattern of the name of an Actor or ActorRun; its length is limited apart."""

NUMBER = "[0-9]+[.][0-9]+[.][0-9]+"
"""Pattern of a build number."""

TAG = "[A-Za-z][-A-Za-z0-9._]*"
"""Pattern of a tag; its length is limited apart."""

MAX_TAG_LENGTH = 63
"""Longest tag of a build, in characters."""

REPOSITORY = "[a-z0-9]+((_|__|[.]|-+)[a-z0-9]+)*"
"""Pattern of one part of an image's path."""

MAX_INT32 = 2_147_483_647
"""Largest number of seconds that Kubernetes takes as a pod's deadline."""

# Numbers

Seconds = Annotated[int, Field(ge=0, le=MAX_INT32)]
"""A duration in whole seconds."""

Count = Annotated[int, Field(ge=0, le=MAX_INT32)]
"""A number of things."""

AttemptNumber = Annotated[int, Field(ge=1, le=MAX_INT32)]
"""Which attempt of a run; the first is 1."""

Port = Annotated[int, Field(ge=1024, le=65_535)]
"""A TCP port that needs no privilege."""


def _allowed_memory(size: int) -> int:
    if size not in MEMORY_STEPS:
        raise ValueError(f"must be one of {', '.join(map(str, MEMORY_STEPS))}")
    return size


MemoryMbytes = Annotated[
    int,
    AfterValidator(_allowed_memory),
    WithJsonSchema({"type": "integer", "enum": list(MEMORY_STEPS)}),
]
"""Memory of a run in MB: a power of two."""

# Texts

Word = Annotated[str, Field(min_length=1, max_length=128)]
"""A word for machines: a reason, an id."""

Message = Annotated[str, Field(max_length=4096)]
"""A sentence for people."""

Url = Annotated[str, Field(max_length=2048)]
"""A URL."""

AnyName = Annotated[str, Field(max_length=253)]
"""Name of a Kubernetes object, where it was checked elsewhere."""

SecretName = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
"""Name of a Secret. A pattern, because a rule would be too dear where there may be thousands."""

SecretKey = Annotated[str, Field(max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
"""Key of a Secret."""

BuildNumber = Annotated[
    str,
    Field(max_length=32),
    Matches(NUMBER, "a build number is three numbers with dots between, such as 1.2.34"),
]
"""Number of a build: ``MAJOR.MINOR.BUILD``."""

TagOrNumber = Annotated[
    str,
    Field(max_length=MAX_TAG_LENGTH),
    Matches(
        f"({TAG}|{NUMBER})",
        "a build is named by its tag (a letter, then letters, digits, '-', '_' and '.'),"
        " such as latest, or by its number, such as 1.2.34",
    ),
]
"""What names a build of an Actor."""

ActorReference = Annotated[
    str,
    Field(max_length=127),
    Matches(
        f"({DNS_LABEL}/)?{NAME_LABEL}",
        "an Actor is named by its name, such as hello-world, or, when it is a public one of"
        " another namespace, by that namespace and its name, such as acme/hello-world",
    ),
]
"""What names an Actor."""

Image = Annotated[
    str,
    Field(max_length=500),
    Matches(
        f"([a-zA-Z0-9.-]+(:[0-9]+)?/)?{REPOSITORY}(/{REPOSITORY})*"
        "(:[A-Za-z0-9_][-A-Za-z0-9_.]*)?(@sha256:[a-f0-9]+)?",
        "an image is [HOST[:PORT]/]PATH[:TAG][@sha256:DIGEST] with a lower-case path,"
        " such as ghcr.io/acme/hello:1.2",
    ),
]
"""Reference of a container image."""

VariableName = Annotated[
    str,
    Field(max_length=128),
    Matches(
        "[A-Za-z_][A-Za-z0-9_]*",
        "the name of a variable has letters, digits and '_', and does not start with a digit",
    ),
]
"""Name of an environment variable."""

VariableValue = Annotated[str, Field(max_length=MAX_VARIABLE_BYTES)]
"""Value of an environment variable."""

# Moments


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


Timestamp = Annotated[
    AwareDatetime, AfterValidator(_utc), PlainSerializer(_rfc3339, when_used="json")
]
"""A moment in UTC, written with microseconds only when it has any."""

# Objects

PreservedObject = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "x-kubernetes-map-type": "atomic",
        }
    ),
]
"""Any JSON object, kept as it is and replaced as a whole. CEL cannot look into it."""
