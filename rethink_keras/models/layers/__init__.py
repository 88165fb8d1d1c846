"""Keras layers of this package, one in a file."""
