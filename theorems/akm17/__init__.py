"""Random Fourier Features for Kernel Ridge Regression (AKM+17): the statements that GLSS builds on."""
