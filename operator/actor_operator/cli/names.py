"""How the program is called."""

PROGRAM = "actorctl"
"""The program."""

PLUGIN = "kubectl-actor"
"""Name under which kubectl starts the program for ``kubectl actor``."""

COMPLETE_VARIABLE = "_ACTORCTL_COMPLETE"
"""By this variable a shell asks for completions."""
