"""CustomResourceDefinitions and their reference pages, made from the models of our kinds."""
