"""Clarify's bias metrics by name, in its order and its words. Pure data.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-data-bias.html and clarify-measure-post-training-bias.
"""

PRE_TRAINING, POST_TRAINING = "pre_training", "post_training"

PRE_TRAINING_METRICS = {
    "CDDL": "Conditional Demographic Disparity in Labels (CDDL)",
    "CI": "Class Imbalance (CI)",
    "DPL": "Difference in Positive Proportions in Labels (DPL)",
    "JS": "Jensen-Shannon Divergence (JS)",
    "KL": "Kullback-Liebler Divergence (KL)",
    "KS": "Kolmogorov-Smirnov Distance (KS)",
    "LP": "L-p Norm (LP)",
    "TVD": "Total Variation Distance (TVD)",
}
POST_TRAINING_METRICS = {
    "AD": "Accuracy Difference (AD)",
    "CDDPL": "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
    "DAR": "Difference in Acceptance Rates (DAR)",
    "DCA": "Difference in Conditional Acceptance (DCA)",
    "DCR": "Difference in Conditional Rejection (DCR)",
    "DI": "Disparate Impact (DI)",
    "DPPL": "Difference in Positive Proportions in Predicted Labels (DPPL)",
    "DRR": "Difference in Rejection Rates (DRR)",
    "FT": "Flip Test (FT)",
    "GE": "Generalized Entropy (GE)",
    "RD": "Recall Difference (RD)",
    "SD": "Specificity Difference (SD)",
    "TE": "Treatment Equality (TE)",
}
DESCRIPTIONS = {**PRE_TRAINING_METRICS, **POST_TRAINING_METRICS}

# Metrics of the predictions alone: a window has them before its labels arrive.
WITHOUT_LABELS = frozenset({"CDDPL", "DI", "DPPL", "FT"})
# Metrics that ask for a group variable.
CONDITIONAL = frozenset({"CDDL", "CDDPL"})


def neutral(name: str) -> float:
    """The value without bias: equal proportions have the ratio 1 and the difference 0."""
    return 1.0 if name == "DI" else 0.0
