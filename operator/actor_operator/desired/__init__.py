"""What a run needs in the cluster, built by pure functions from run, Actor and settings."""
