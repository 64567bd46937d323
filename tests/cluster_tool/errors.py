"""Errors of the cluster tool: each message ends with what the user can do next."""


class ClusterToolError(Exception):
    """Something the user must know about; shown without a traceback."""


class CommandError(ClusterToolError):
    """A program that the tool called failed; the message carries the end of its output."""


class MissingError(ClusterToolError):
    """This machine lacks something; the message says how to get it."""
