"""The sample of the training data that contributions are relative to, as a file beside the baseline's others.

Encoded rows, at most `MAXIMUM_ROWS`: about 60 KB for 14 features. Explanations of later windows need the very rows that
those of the baseline had. Must not encode or sample.
"""

from pathlib import Path

import numpy as np

from drift_monitor.attribution.trees import FloatMatrix
from drift_monitor.errors import BaselineError

BACKGROUND_FILE = "background.npy"


def write_background(folder: Path, background: FloatMatrix) -> None:
    """Store rows of shape (rows, features) in the baseline's folder."""
    np.save(folder / BACKGROUND_FILE, background.astype(np.float32), allow_pickle=False)


def read_background(folder: Path, *, features: int) -> FloatMatrix:
    """The stored rows; raises BaselineError if they are missing, damaged, or of another number of features."""
    path = folder / BACKGROUND_FILE
    try:
        background: FloatMatrix = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BaselineError(f"{path} cannot be read ({error}); build the baseline again") from None
    if background.ndim != 2 or background.shape[1] != features or not len(background):
        raise BaselineError(f"{path} has the shape {background.shape}, the model reads {features} features")
    return background
