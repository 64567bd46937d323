"""The life of a run: what was observed, what to do, what to say. Pure: no IO, no clock."""
