"""Training (Overparametrized) Neural Networks in Near-Linear Time (BPSW): one file per claim of the abstract."""
