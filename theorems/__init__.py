"""The theorems of machine-learning theory as executable statements."""

__version__ = "0.1.0"
