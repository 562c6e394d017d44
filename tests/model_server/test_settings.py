"""Settings from the environment."""

from pathlib import Path

import pytest

from model_server.errors import SettingsError
from model_server.settings import read_settings


def test_without_any_variable_the_container_s_contract_holds() -> None:
    """Port 8080 on all addresses, the model in /opt/ml/model."""
    settings = read_settings({})

    assert settings.host == "0.0.0.0"  # noqa: S104
    assert (settings.port, settings.model_folder) == (8080, Path("/opt/ml/model"))
    assert settings.limits.body_bytes == 6 * 1024 * 1024


def test_every_setting_can_be_given() -> None:
    """SageMaker sets the port, the local cloud host and folder, an operator the limits."""
    settings = read_settings(
        {
            "SAGEMAKER_BIND_TO_PORT": "9000",
            "MODEL_SERVER_HOST": "127.0.0.1",
            "ML_BASE_DIR": "/job",
            "MODEL_SERVER_MAXIMUM_BODY_BYTES": "25000000",
            "MODEL_SERVER_MAXIMUM_ROWS": "7",
            "MODEL_SERVER_BODY_SECONDS": "1.5",
            "MODEL_SERVER_DRAIN_SECONDS": "3",
        }
    )

    assert (settings.host, settings.port, settings.model_folder) == ("127.0.0.1", 9000, Path("/job/model"))
    assert (settings.limits.body_bytes, settings.limits.rows) == (25_000_000, 7)
    assert (settings.limits.body_seconds, settings.drain_seconds) == (1.5, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http"),
        ("SAGEMAKER_BIND_TO_PORT", "70000"),
        ("MODEL_SERVER_MAXIMUM_ROWS", "0"),
        ("MODEL_SERVER_BODY_SECONDS", "nan"),
        ("MODEL_SERVER_MAXIMUM_BODY_BYTES", "inf"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    """The message has the variable and what it was set to."""
    with pytest.raises(SettingsError, match=f"{name} should be .* not '?{value}"):
        read_settings({name: value})
