"""Profiles of the test suite: quick by default, `ci`, and `night`; they change how many examples, never the meaning."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy loads: two threads are slower on small matrices

from hypothesis import HealthCheck, settings

_SHARED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "database": None, "print_blob": True}
settings.register_profile("quick", max_examples=30, **_SHARED)
settings.register_profile("ci", max_examples=100, **_SHARED)
settings.register_profile("night", max_examples=2000, **_SHARED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
