"""An endpoint as the verification sees it: its stack, its description, and a model server's answers."""

import io
import json
import math
from dataclasses import dataclass, field
from typing import Any

from lambdas.verify_endpoint.deployment import Deployment
from lambdas.verify_endpoint.invocations import LatencyBudget
from lambdas.verify_endpoint.logic import Verification, Verified
from tests.lambdas.fake_client import FakeClient, client_error
from tests.lambdas.release_world import GOLDEN, ReleaseWorld, arn

STACK, ENDPOINT = "Cd4ml-dev-CarsEndpoint", "cars-dev-production"


@dataclass
class ServedEndpoint:
    """An endpoint that serves version 1 as it should; a test changes what is to be wrong."""

    world: ReleaseWorld
    requested: str = "config-2"
    live: str = "config-2"
    statuses: list[str] = field(default_factory=lambda: ["InService"])
    failure: str = ""
    models: dict[str, str] = field(default_factory=lambda: {"champion": arn(1)})
    predictions: dict[str, float] = field(
        default_factory=lambda: {str(record["values"][0]): float(record["prediction"]) for record in GOLDEN}  # type: ignore[index, arg-type]
    )
    malformed_status: int = 400
    seconds_per_request: float = 0.01
    json_answer: str | None = None
    now: float = 0.0
    inference_ids: list[str] = field(default_factory=list)

    def verify(self, *, budget: LatencyBudget | None = None, seconds: float = 100.0) -> Verified:
        """Run the verification, with a clock that only requests and waiting move."""
        verification = Verification(
            cloudformation=FakeClient("cloudformation", {"describe_stacks": self._stacks}),
            sagemaker=self._sagemaker(),
            runtime=FakeClient("sagemaker-runtime", {"invoke_endpoint": self._invoke}),
            s3=self.world.s3,
            budget=budget or LatencyBudget(milliseconds=200, invocations=20),
            clock=lambda: self.now,
            sleep=self._sleep,
        )
        deployment = Deployment(stack=STACK, endpoint=ENDPOINT, package_arn=arn(1))
        return verification.verify(deployment, remaining=lambda: seconds - self.now)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _stacks(self, **_: Any) -> dict[str, Any]:
        outputs = {"EndpointName": ENDPOINT, "EndpointConfigName": self.requested}
        shown = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items() if value]
        return {"Stacks": [{"StackName": STACK, "Outputs": shown}]}

    def _sagemaker(self) -> FakeClient:
        return FakeClient(
            "sagemaker",
            {
                "describe_endpoint": self._endpoint,
                "describe_endpoint_config": lambda **_: {
                    "ProductionVariants": [{"VariantName": name, "ModelName": name} for name in self.models],
                    "ShadowProductionVariants": [{"VariantName": "shadow", "ModelName": "another"}],
                },
                "describe_model": lambda ModelName: {  # noqa: N803
                    "PrimaryContainer": {"ModelPackageName": self.models[ModelName]}
                },
                "describe_model_package": self.world.sagemaker.describe_model_package,
            },
        )

    def _endpoint(self, **_: Any) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        described = {"EndpointName": ENDPOINT, "EndpointConfigName": self.live, "EndpointStatus": status}
        return described | ({"FailureReason": self.failure} if self.failure else {})

    def _invoke(self, *, Body: bytes, ContentType: str, InferenceId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.inference_ids.append(InferenceId)
        self.now += self.seconds_per_request
        makes = _makes(Body.decode(), ContentType)
        if makes is None:
            if self.malformed_status == 200:
                return {"Body": io.BytesIO(b"1.0\n")}
            raise client_error(
                "ModelError", status=424, OriginalStatusCode=self.malformed_status, OriginalMessage="row 1 has 1 value"
            )
        return {"Body": io.BytesIO(self._answer([self.predictions[make] for make in makes], ContentType).encode())}

    def _answer(self, values: list[float], content_type: str) -> str:
        if content_type == "text/csv":
            return "".join(f"{value!r}\n" for value in values)
        if content_type == "application/jsonlines":
            return "".join(json.dumps({"prediction": value}) + "\n" for value in values)
        return self.json_answer or json.dumps({"predictions": values})


def _makes(body: str, content_type: str) -> list[str] | None:
    """The makes of the records; None if one lacks a value."""
    if content_type == "text/csv":
        rows = [line.split(",") for line in body.splitlines()]
        return [row[0] for row in rows] if all(len(row) == 2 for row in rows) else None
    lines = [json.loads(line) for line in body.splitlines()] if content_type.endswith("lines") else None
    records = lines if lines is not None else json.loads(body)["records"]
    assert all(record["hp"] is None or math.isfinite(record["hp"]) for record in records)
    return [record["make"] for record in records]
