"""What `make audit` says: whether an advisory is known for a locked package, or that the index of them could not be asked."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

AUDIT = (
    str(Path(sys.executable).parent / "pip-audit"),
    "--disable-pip",
    "--progress-spinner",
    "off",
    "--format",
    "json",
)
CLEAR, FOUND, NOT_ASKED = 0, 1, 2


def audit(lock: str, command: Sequence[str] = AUDIT) -> int:
    asked = subprocess.run([*command, "--requirement", lock], capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        return _not_asked(f"pip-audit gave no answer ({reason[:200]})")
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    found = [(package, known) for package in packages for known in package.get("vulns", ())]
    for package, known in found:
        mended = ", ".join(known["fix_versions"]) or "nothing yet"
        print(f"{package['name']} {package['version']}: {known['id']}, mended in {mended}")
    if unknown or not packages:
        return FOUND if found else _not_asked(f"{len(unknown)} of {len(packages)} packages could not be looked up")
    if not found:
        print(f"No advisory is known for the {len(packages)} packages of {lock}.")
    return FOUND if found else CLEAR


def _not_asked(why: str) -> int:
    print(f"The index of advisories could not be asked: {why}. Nothing is known; try again where it can be reached.")
    return NOT_ASKED


if __name__ == "__main__":
    sys.exit(audit(sys.argv[1]))
