"""What the demo shows of `sagemaker_pipelines.watch`."""

WATCH = ("-m", "sagemaker_pipelines.watch", "--poll", "0.5")
"""A look every half second: against this machine there is no limit on calls to respect."""
_RUNNING = ("Executing", "Starting")
_REPEATED_BY_THE_SUMMARY = ("model package ", "approve with: ", "following ", "Succeeded")


def show_indented(line: str) -> bool:
    """Print a line of a command as it is."""
    print(f"   {line}", flush=True)
    return True


def show_steps_only(line: str) -> bool:
    """Print the steps that ended and the evaluation, without what the demo's summary says again."""
    if line.strip().startswith(_REPEATED_BY_THE_SUMMARY) or line.endswith(_RUNNING):
        return False
    return show_indented(line)
