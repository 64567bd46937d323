"""Be there."""

print("Here at last", flush=True)
