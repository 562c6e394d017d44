"""Which files of the repository an asset consists of.

An asset is cut out of the repository root, so that a module has the same import path in a zip, an image, a test and
the checkout. Must not let in anything that is not named: one stray file changes the asset's hash, and with it the
deployment.
"""

from collections.abc import Sequence

# Interpreters and editors leave these beside the sources.
_NEVER = ("**/__pycache__", "**/*.pyc", "**/.DS_Store")


def all_but(paths: Sequence[str], *, without: Sequence[str] = ()) -> list[str]:
    """Exclude patterns (git's and Docker's syntax agree on these) that keep only `paths`, relative to the root.

    A path is a file, or a folder meant with everything below it, except what matches a pattern of `without`.
    """
    kept = []
    for path in paths:
        parents = path.split("/")[:-1]
        # A folder must be let in before anything below it can be, and its other contents put out again.
        for depth in range(len(parents)):
            folder = "/".join(parents[: depth + 1])
            kept += [f"!/{folder}", f"/{folder}/*"]
        kept.append(f"!/{path}")
    return ["/*", *dict.fromkeys(kept), *without, *_NEVER]
