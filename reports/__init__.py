"""The gallery: one records file becomes one self-contained HTML page and its Markdown twin.

A record carries its own words (claim, source, hypotheses), so nothing here imports another room, and no verdict
is computed: what the page says is what the file says.
"""

from __future__ import annotations

from reports.mathematics import UnsupportedMath
from reports.page import write_reports
from reports.records import RecordsUnreadable

__all__ = ["RecordsUnreadable", "UnsupportedMath", "write_reports"]
