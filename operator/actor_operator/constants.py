"""Names that users see or that several layers must agree on."""

GROUP = "actor-operator.dev"
"""API group of our kinds, and prefix of our labels and annotations."""

VERSION = "v1alpha1"
"""The served and stored version of our kinds."""

API_VERSION = f"{GROUP}/{VERSION}"
"""``apiVersion`` of our kinds."""

FIELD_MANAGER = "actor-operator"
"""Field manager of every write of the operator."""

LABEL_RUN = f"{GROUP}/run"
"""On children: the name of their ActorRun (an index for selectors; ownership goes by uid)."""

LABEL_RUN_UID = f"{GROUP}/run-uid"
"""On children: the uid of their ActorRun."""

LABEL_API = f"{GROUP}/api"
"""On ActorRuns: made by the API server, whose service account alone may set or change it."""

API_RUN = "run"
"""Value of that label on a run whose name is its id."""

ANNOTATION_ADOPT = f"{GROUP}/adopt"
"""On a Namespace, by an administrator: the uid of an earlier namespace of the same name whose runs
and storages in the API this one shall have."""

ANNOTATION_ARCHIVED = f"{GROUP}/archived"
"""On ActorRuns: the attempt of which the API server has archived all."""

ANNOTATION_INPUT_KEY = f"{GROUP}/input-key"
"""On ActorRuns, by the API server: the private key for the secret fields of the input, locked."""

LABEL_ACTOR = f"{GROUP}/actor"
"""On pods: the name of the Actor."""

LABEL_ATTEMPT = f"{GROUP}/attempt"
"""On pods: the attempt of the run that the pod belongs to."""

LABEL_ENVIRONMENT = f"{GROUP}/environment"
"""On pods: the end of the name of the Secret that holds the environment (``<pod>-<this>``)."""

LABEL_NETWORK = f"{GROUP}/network"
"""On NetworkPolicies of the operator: whose network they are about."""

LABEL_INSTALL = f"{GROUP}/install"
"""On namespaces: the namespace of the installation that alone works there."""

ANNOTATION_RESOLVED = f"{GROUP}/resolved"
"""On pods: what was resolved from run, Actor and settings when the pod was made, as JSON."""

LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
"""The common label that says which program made an object."""

LABEL_NAME = "app.kubernetes.io/name"
"""The common label that says which program a pod runs."""

SERVER_NAME = "actor-operator-server"
"""Value of that label on the pods of the API server, those that serve the events too."""

CONTAINER_NAME = "actor"
"""The one container of a run's pod."""

WEB_PORT_NAME = "web"
"""Name of the container port and Service port of the run's web server."""

DEFAULT_WEB_PORT = 4321
"""The port on which an actor's web server listens unless its Actor says otherwise."""

MAX_INPUT_BYTES = 65_536
"""Largest ``spec.input`` as compact UTF-8 JSON."""

NESTING = 12_000
"""Levels of nesting that are decoded. The API server takes inputs of 10,000 levels and Python reads
1,000 by itself: one such run would make every list and watch of runs unreadable."""

MAX_VARIABLE_BYTES = 131_071
"""Largest ``NAME=value`` that Linux takes in an environment (MAX_ARG_STRLEN - 1)."""

MAX_NAME_LENGTH = 50
"""Longest name of an ActorRun: its children's names and DNS labels are built from it."""

WRITE_LANDING_SECONDS = 4.5
"""How long after it was sent a write can still land: connecting, and the server's time limit."""

CONDITION_MESSAGE_BYTES = 1024
"""Longest message of a condition or failure; what is longer is cut."""

KEYS_SECRET = "actor-operator-keys"  # noqa: S105 -- the name of the Secret, not a secret
"""The Secret of the operator's own namespace that holds the keys for names and URLs."""
