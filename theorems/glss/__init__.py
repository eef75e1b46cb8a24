"""Generalized Leverage Score Sampling for Neural Networks (GLSS): one file per numbered statement."""
