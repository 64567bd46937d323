"""Actor Operator: runs Apify-style actors on Kubernetes."""

__version__ = "0.1.0"
