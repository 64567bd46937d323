"""Making it so: gather, decide, execute, tell."""
