"""The records as a JUnit file: REFUTED is a failure, UNDECIDED and VACUOUS are skipped with their price."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from theorems.streams import printable


def junit(document: dict[str, Any]) -> str:
    """Render a records document; a test case per record, named by its id."""
    records = document["records"]
    off = [r for r in records if not r["as_declared"]]
    undecided = [r for r in off if r["verdict"] in ("UNDECIDED", "VACUOUS") and r["twin"] is None]
    suite = ET.Element(
        "testsuite",
        name="theorems",
        tests=str(len(records)),
        failures=str(len(off) - len(undecided)),
        skipped=str(len(undecided)),
        errors="0",
    )
    for r in records:
        case = ET.SubElement(suite, "testcase", classname=r["statement"], name=r["id"])
        properties = ET.SubElement(case, "properties")
        for key in ("verdict", "expected", "trials", "failures", "alpha", "delta", "slack", "seed"):
            ET.SubElement(properties, "property", name=key, value=str(r[key]))
        if r in undecided:
            ET.SubElement(case, "skipped", message=printable(f"{r['verdict']}: {r['because']}; {r['price']}"))
        elif r in off:
            message = printable(f"{r['verdict']}, declared {r['expected']}: {r['because']}")
            ET.SubElement(case, "failure", message=message).text = printable(r["fault"])
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
