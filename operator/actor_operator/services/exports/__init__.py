"""Items of datasets as files: one module for each format."""
