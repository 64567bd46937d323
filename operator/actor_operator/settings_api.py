"""Settings of the API server, and what the operator must know of it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from actor_operator.settings_groups import Cidr, Group, LongSeconds, Port, Seconds

BaseUrl = Annotated[
    str,
    Field(
        pattern=r"^(https?://[A-Za-z0-9.\-\[\]:]{1,255}(/[A-Za-z0-9._~/-]{0,199}[A-Za-z0-9._~-])?)?$"
    ),
]
"""Where something is, without a slash at its end."""


class ObjectStoreKind(StrEnum):
    """Where large bodies are kept."""

    FOLDER = "folder"
    """In files of a folder."""

    S3 = "s3"
    """In a bucket of S3, or of something that speaks its protocol."""


class BucketSettings(Group):
    """The bucket for large bodies. Its credentials come from the environment (``AWS_…``)."""

    name: str = ""
    """Name of the bucket; needed with the kind s3."""

    region: str = ""
    """Region of the bucket."""

    endpoint: BaseUrl = ""
    """Address of a service that speaks S3's protocol; empty: Amazon's."""

    prefix: str = ""
    """Put before the name of every object."""

    allow_http: bool = False
    """Whether the endpoint may be http."""


class StorageSettings(Group):
    """Where the API server keeps what it is given."""

    folder: Path = Path("/var/lib/actor-operator")
    """Folder for the embedded database, and for large bodies without a bucket."""

    database_url_file: Path | None = None
    """File with the URL of a PostgreSQL database
    (``postgresql://user:password@host:5432/name``); absent: SQLite in the folder."""

    unnamed_seconds: LongSeconds = 604_800
    """Seconds after its last use when a storage is removed that has no name and that no run has.
    Named storages stay, and the default ones of runs go with their run."""

    unreachable_seconds: LongSeconds = 2_592_000
    """Seconds after which everything is removed that belonged to a namespace that is gone, or was
    deleted and made anew, unless an administrator has the new one adopt it."""

    objects: ObjectStoreKind = ObjectStoreKind.FOLDER
    """Where large bodies are kept: ``folder`` or ``s3``."""

    bucket: BucketSettings = BucketSettings()
    """The bucket."""

    @model_validator(mode="after")
    def _check_bucket(self) -> "StorageSettings":
        if self.objects is ObjectStoreKind.S3 and not self.bucket.name:
            raise ValueError("bucket.name must name the bucket")
        return self


class ApiLimitSettings(Group):
    """Limits of the API server."""

    max_record_bytes: Annotated[int, Field(ge=1_048_576, le=1_099_511_627_776)] = 1_073_741_824
    """Largest record of a key-value store."""

    max_waiting_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 2000
    """Requests that wait for a run at the same time."""

    max_log_streams: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Logs that are followed by clients at the same time."""

    max_event_sockets: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Sockets for the events of runs that one process has open at the same time."""

    requests_per_second: Annotated[float, Field(gt=0, le=1_000_000)] = 400
    """Requests a second of one token, in the long run."""

    request_burst: Annotated[int, Field(ge=1, le=10_000_000)] = 2000
    """Requests of one token at once after a quiet time."""

    start_seconds: Seconds = 10
    """How long a start waits for the operator to admit or refuse the run."""


class ApiSettings(Group):
    """The API server: the Apify HTTP API, its storages, and the events of runs."""

    enabled: bool = False
    """Whether there is an API server. With it runs get a token, the address of the API, and events,
    and their finished pods stay until their logs are archived."""

    public_url: BaseUrl = ""
    """Address of the API for the world, as it stands in every URL of an answer, without ``/v2``.
    Empty: the internal one."""

    internal_url: BaseUrl = ""
    """Address of the API in the cluster, for runs; the chart sets it."""

    events_url: BaseUrl = ""
    """Address of the events' sockets in the cluster, for runs; the chart sets it."""

    console_url: BaseUrl = ""
    """Address of a console for people; empty: there is none."""

    full_permissions_of_own_actors: bool = True
    """Whether the token of a run may use everything of its account where the Actor is of the same
    namespace. Actors of others never may."""

    keys_folder: Path = Path("/etc/actor-operator-keys")
    """Where the Secret with the installation's keys is mounted."""

    kubelet_ca_file: Path | None = None
    """File with the CA of the kubelets' own certificates, for what runs use of memory and
    processor; absent: the cluster's CA."""

    host: str = "0.0.0.0"  # noqa: S104 -- in a pod, requests come from outside the pod
    """Address to listen on."""

    port: Port = 8000
    """Port of the API."""

    metrics_port: Port = 9090
    """Port of ``/metrics``, ``/healthz`` and ``/readyz``."""

    trusted_proxies: Annotated[tuple[Cidr, ...], Field(max_length=100)] = ()
    """Ranges of addresses of proxies before the API, such as the ingress controller's pods. What
    they say in ``X-Forwarded-For`` is believed: requests without a token are counted by that
    address, and it is the ``clientIp`` of runs."""

    kubernetes_identities: bool = False
    """Whether tokens of Kubernetes (for the audience ``actor-operator.dev``) are taken too."""

    vanished_seconds: LongSeconds = 86_400
    """Seconds after which the row of a run whose object is gone is removed."""

    storage: StorageSettings = StorageSettings()
    """Where it keeps what it is given."""

    limits: ApiLimitSettings = ApiLimitSettings()
    """Limits."""

    @model_validator(mode="after")
    def _check_urls(self) -> "ApiSettings":
        if self.enabled and not (self.internal_url and self.events_url):
            raise ValueError("internalUrl and eventsUrl must name the API server's Services")
        return self

    @property
    def base_url(self) -> str:
        """Address that stands in answers."""
        return self.public_url or self.internal_url
