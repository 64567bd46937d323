"""The command line: ``actorctl``."""
