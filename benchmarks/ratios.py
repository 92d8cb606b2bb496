"""Prints the ratios of a pytest-benchmark JSON file: each contender's median over optcore's."""

from __future__ import annotations

import json
import sys
from collections import defaultdict


def main(path: str) -> None:
    """Prints one block per group."""
    with open(path, encoding="utf-8") as file:
        benchmarks = json.load(file)["benchmarks"]
    groups = defaultdict(dict)
    for b in benchmarks:
        groups[b["group"]][b["params"]["who"]] = b["stats"]
    for group, rows in groups.items():
        print(f"\n{group}")
        base = rows["optcore"]["median"]
        for who, stats in sorted(rows.items(), key=lambda row: row[1]["median"]):
            spread = stats["iqr"] / stats["median"]
            print(
                f"  {who:16} {stats['median'] * 1e6:12.2f} us   ± {spread:5.1%}"
                f"   {stats['median'] / base:8.2f} x optcore"
            )


if __name__ == "__main__":
    main(sys.argv[1])
