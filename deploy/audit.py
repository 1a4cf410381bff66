"""Whether any locked requirement has a known hole; where nobody can be asked, it says that nothing was checked."""

import json
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Ask pip-audit about each file of requirements; 1 where something was found."""
    worst = 0
    for requirements in sys.argv[1:]:
        found, unchecked = _audit(requirements)
        for line in found:
            sys.stdout.write(f"{requirements}: {line}\n")
        if unchecked:
            sys.stdout.write(f"{requirements}: NOT CHECKED: {unchecked}\n")
        elif not found:
            sys.stdout.write(f"{requirements}: checked, no known hole\n")
        worst = max(worst, bool(found))
    return worst


def _audit(requirements: str) -> tuple[list[str], str]:
    pip_audit = Path(sys.executable).parent / "pip-audit"
    command = [str(pip_audit), "--format=json", "--require-hashes", "--disable-pip", "-r", requirements]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    try:
        packages = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        return [], "the advisories could not be had"
    # One that the advisories do not know is skipped, and pip-audit is content.
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    found = [
        f"{package['name']} {package['version']}: {hole['id']}"
        for package in packages
        for hole in package.get("vulns", ())
    ]
    return found, f"no advisories for {len(skipped)} of {len(packages)} packages" if skipped else ""


if __name__ == "__main__":
    sys.exit(main())
