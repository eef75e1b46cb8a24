"""The court: keys, trials, evidence, e-processes, Loewner-order decisions, budgets, store, judge. It knows no paper."""
