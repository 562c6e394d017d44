"""What the events of this project carry as their source; the stacks allow each function to send its own only.

Must not hold anything else: what the events say stands in docs/events/.
"""

INGEST_SOURCE = "cd4ml.ingest"
RETRAINING_SOURCE = "cd4ml.retraining"
RELEASE_SOURCE = "cd4ml.release"
MONITORING_SOURCE = "cd4ml.monitoring"
