"""kopf as the shell: start, stop, signals and the liveness endpoint; the work is ours."""
