"""Use cases of the API server: what its routes do, without HTTP."""
