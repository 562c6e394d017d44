"""Names of the metrics that an analysis emits: the one list that alarms and dashboards are checked against.

Standard library only, and no code that runs: the synthesis of a stack reads it, too.
"""

NAMESPACE = "Cd4ml/Monitoring"

ENDPOINT_DIMENSION, MONITOR_DIMENSION, FEATURE_DIMENSION = "EndpointName", "Monitor", "Feature"
VARIANT_DIMENSION = "VariantName"

# One series each, with the dimensions EndpointName and Monitor.
ROWS = "Rows"
UNUSABLE_CAPTURE_PERCENT = "UnusableCapturePercent"
INSUFFICIENT_DATA = "InsufficientData"
DATA_QUALITY_VIOLATIONS = "DataQualityViolations"
DRIFTED_FEATURES = "DriftedFeatures"
LARGEST_DISTANCE = "LargestDistance"
MODEL_QUALITY_VIOLATIONS = "ModelQualityViolations"
LABEL_COVERAGE_PERCENT = "LabelCoveragePercent"
BIAS_VIOLATIONS = "BiasViolations"
ATTRIBUTION_VIOLATIONS = "AttributionViolations"
ATTRIBUTION_NDCG = "AttributionNdcg"

# The figures of model quality, by problem type, after this prefix: `ModelQuality/mape`.
MODEL_QUALITY_PREFIX = "ModelQuality/"
_REGRESSION = ("mae", "mse", "rmse", "r2", "mape", "bias")
_CLASSIFICATION = (
    *("accuracy", "recall", "precision", "auc", "f0_5", "f1", "f2"),
    *("true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate"),
    *("weighted_recall", "weighted_precision", "weighted_f0_5", "weighted_f1", "weighted_f2"),
)
# With the dimensions EndpointName and VariantName as well, so that they can roll a release back.
MODEL_QUALITY = frozenset(f"{MODEL_QUALITY_PREFIX}{name}" for name in (*_REGRESSION, *_CLASSIFICATION))

# One series per feature, for the most drifted few, with the dimension Feature as well.
FEATURE_DISTANCE = "FeatureDistance"

ANALYSES = {
    "data_quality": (DATA_QUALITY_VIOLATIONS, DRIFTED_FEATURES, LARGEST_DISTANCE),
    "attribution": (ATTRIBUTION_VIOLATIONS, ATTRIBUTION_NDCG),
    "model_quality": (MODEL_QUALITY_VIOLATIONS, LABEL_COVERAGE_PERCENT),
    "bias": (BIAS_VIOLATIONS,),
}
"""Metrics of each analysis; those above them come from every run."""

MODEL_MONITOR_NAMESPACE = "aws/sagemaker/Endpoints/data-metrics"
"""Where SageMaker sends the metrics that a container of data quality leaves in a file, of monitoring schedules only.

As AWS's own notebooks spell it; its guide does so in three other ways.
"""
MODEL_MONITOR_DIMENSIONS = ("Endpoint", "MonitoringSchedule")
# Before the name of a column: a statistic set of numbers, how many values were present, and the distance.
# The model's answer is a column like any other, called so unless the baseline has another name for it.
ANSWER = "prediction"
FEATURE_DATA, FEATURE_NON_NULL, FEATURE_DRIFT = "feature_data_", "feature_non_null_", "feature_baseline_drift_"

ALWAYS = (ROWS, UNUSABLE_CAPTURE_PERCENT, INSUFFICIENT_DATA)
