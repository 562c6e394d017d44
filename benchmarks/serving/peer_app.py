"""The peer's application: Flask, as the containers of sagemaker-containers and the AWS examples have it.

Runs below gunicorn in the peer's environment. PEER_PICKLE names a pickled pipeline (`peer_model.py`), and a request
becomes a data frame; or else PEER_ARTIFACT names a folder with our artifact, and the same code as in our server parses
and scores, so that only the stack around it differs.
"""

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, request


def _frame_predictor(path: Path) -> Callable[[bytes], list[float]]:
    import numpy as np
    import pandas as pd

    stored = pickle.loads(path.read_bytes())  # noqa: S301  written by this benchmark
    model, features = stored["model"], stored["features"]
    types = dict.fromkeys(stored["text"], str)
    missing = {name: [""] for name in features if name not in types}

    def predict(body: bytes) -> list[float]:
        frame = pd.read_csv(
            io.BytesIO(body), header=None, names=features, dtype=types, keep_default_na=False, na_values=missing
        )
        prices: list[float] = np.exp(model.predict(frame)).tolist()
        return prices

    return predict


def _onnx_predictor(folder: Path) -> Callable[[bytes], list[float]]:
    from model_server.artifact import load_served_model
    from model_server.media_types import MediaType
    from model_server.request_bodies import BodyParser

    scorer = load_served_model(folder).scorer
    parser = BodyParser(scorer.encoder.spec, maximum_rows=1000)

    def predict(body: bytes) -> list[float]:
        prices: list[float] = scorer.predict(parser.parse(body, MediaType.CSV)).tolist()
        return prices

    return predict


def create_app() -> Flask:
    """The WSGI application."""
    pickled = os.environ.get("PEER_PICKLE")
    predict = _frame_predictor(Path(pickled)) if pickled else _onnx_predictor(Path(os.environ["PEER_ARTIFACT"]))
    app = Flask(__name__)

    @app.get("/ping")
    def ping() -> Response:
        return Response(response="\n", status=200, mimetype="application/json")

    @app.post("/invocations")
    def invocations() -> Response:
        prices = predict(request.get_data())
        return Response(response="\n".join(map(repr, prices)) + "\n", status=200, mimetype="text/csv")

    return app
