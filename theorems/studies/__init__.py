"""Studies: what a theorem asks against what is needed, over a grid. They measure, and judge nothing."""
