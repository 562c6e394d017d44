"""Second act: the first model goes to production, decided by the AWS CLI, and predicts a real price."""

from demo.cars import Car
from demo.chapters import Chapter
from demo.deployed import Deployed
from demo.errors import DemoError
from demo.release import Release
from demo.summary import Evidence


def release_first(deployed: Deployed, evidence: Evidence, *, model: str, car: Car) -> Chapter:
    """Release a version and ask it for the price of a car; DemoError if that does not work."""
    released = Release(deployed, by_cli=True).run(evidence.package_arn, why="the evaluation report was read")
    if not released.succeeded:
        raise DemoError(f"the first release ended as {released.status}: {released.reason}")
    _show_price(deployed, car)
    ending = f"went live as the first version; {_verification(released.record['verification'])}"
    return Chapter(released.version, model, evidence.evaluation, ending, report=evidence.report)


def _show_price(deployed: Deployed, car: Car) -> None:
    endpoint = deployed.names.production_endpoint
    runtime = deployed.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=car.body)
    predicted = float(answer["Body"].read())
    off = (predicted - car.price) / car.price
    print(f"   {endpoint} is asked for a {car.name} of {car.year}, a model year that no training has seen:")
    print(f"     predicted ${predicted:,.0f}, list price ${car.price:,.0f} ({off:+.1%})", flush=True)


def _verification(found: dict[str, dict[str, str]]) -> str:
    """The last verification in a few words."""
    latest = found["VerifyProduction"]
    return f"{latest['GoldenRecords']} golden records verified"
