"""What was measured last, row by row, and whether it is still of the last run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from machine import describe, version_of
from measure import HERE
from rows import Row

FILE = HERE / "results.json"
Found = dict[str, Any]
"""Of a row: when it was measured, on which machine, by which versions, and what came of it."""
_RUN = timedelta(days=1)


def note(**measured: Any) -> Found:
    """What was measured now, on this machine."""
    return {"when": f"{datetime.now(UTC):%Y-%m-%dT%H:%M%z}", "machine": describe()} | measured


def versions(row: Row) -> dict[str, str | None]:
    """The version of each contender; None if it is not installed."""
    return {each.name: version_of(each.package or "xvcluster") for each in row.contenders}


def load() -> dict[str, Found]:
    """What was measured last."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}


def save(results: dict[str, Found]) -> None:
    """Keep it."""
    FILE.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def newest(results: dict[str, Found]) -> Found:
    """What was measured last of all."""
    return max(results.values(), key=lambda found: found["when"])


def is_old(found: Found, results: dict[str, Found]) -> bool:
    """Whether something was measured more than a day before the last, or on another machine."""
    last = newest(results)
    ago = datetime.fromisoformat(last["when"]) - datetime.fromisoformat(found["when"])
    return bool(found["machine"] != last["machine"] or ago > _RUN)
