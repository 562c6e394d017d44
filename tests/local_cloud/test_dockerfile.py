"""The Dockerfile language, as far as it can be carried out without Docker."""

from pathlib import PurePosixPath

import pytest

from local_cloud.dockerfile import BASE_PATH, Dockerfile, DockerfileError, parse_dockerfile

START = 'FROM scratch\nENTRYPOINT ["run"]\n'


def parse(*lines: str, **build_arguments: str) -> Dockerfile:
    """The image of a Dockerfile that starts as all do here."""
    return parse_dockerfile(START + "\n".join(lines), build_arguments=build_arguments)


def test_a_whole_dockerfile() -> None:
    """Comments, continued lines, both forms of ENV, and variables from ARG and ENV, as Docker reads them."""
    image = parse_dockerfile(
        """# syntax=docker/dockerfile:1
ARG VERSION=3.11
FROM --platform=linux/amd64 python:${VERSION}-slim AS only
ARG VERSION
ENV HOME_DIR=/opt/program \\
    # a comment in the middle
    GREETING="hello world"
ENV LEGACY one two
ENV PATH=$HOME_DIR/bin:$PATH PYTHON=$VERSION
WORKDIR $HOME_DIR
WORKDIR app/../src
RUN pip install \\
      --require-hashes -r requirements.txt
COPY --chown=1000:1000 --chmod=755 a.txt b.txt ./lib/
COPY ["a b", "/data"]
LABEL a=b
EXPOSE 8080
USER model
ENTRYPOINT ["python", "-m", "server"]
CMD ["--port", "8080"]
"""
    )
    assert image.base == "python:3.11-slim"
    assert image.environment == {
        "PATH": f"/opt/program/bin:{BASE_PATH}",
        "HOME_DIR": "/opt/program",
        "GREETING": "hello world",
        "LEGACY": "one two",
        "PYTHON": "3.11",
    }
    assert image.working_directory == PurePosixPath("/opt/program/src")
    assert [(copy.sources, str(copy.target), copy.into, copy.mode) for copy in image.copies] == [
        (("a.txt", "b.txt"), "/opt/program/src/lib", True, 0o755),
        (("a b",), "/data", False, None),
    ]
    assert (image.user, image.entrypoint, image.command) == (
        "model",
        ("python", "-m", "server"),
        ("--port", "8080"),
    )
    assert [" ".join(run.split()) for run in image.runs] == ["pip install --require-hashes -r requirements.txt"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${MISSING:-default}", "default"),
        ("${SET:-default}", "x"),
        ("${SET:+given}", "given"),
        ("${MISSING:+given}", ""),
        ("$MISSING", ""),
        (r"\$SET", "$SET"),
        ("a${SET}b", "axb"),
    ],
)
def test_variables(text: str, value: str) -> None:
    """Every form of a variable that Docker knows."""
    assert parse("ENV SET=x", f"ENV OTHER={text}").environment["OTHER"] == value


def test_build_arguments() -> None:
    """A build argument wins over the default of its ARG, and ENV wins over both."""
    image = parse("ARG A=1", "ARG B=1", "ENV B=3", "ENV SEEN=$A$B$C", A="2", B="2", C="undeclared")
    assert image.environment["SEEN"] == "23"


def test_a_new_entrypoint_drops_the_command_before_it() -> None:
    """As in Docker, where CMD holds the arguments of the entrypoint that it follows."""
    assert parse('CMD ["a"]', 'ENTRYPOINT ["b"]').command == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("CMD run --fast", r"line 3: CMD in its shell form is not supported .* write it as a list: CMD \["),
        ("ENTRYPOINT run", "ENTRYPOINT in its shell form"),
        ("ADD a b", "ADD is not supported by the local cloud; use COPY"),
        ("SHELL []", "SHELL is not supported"),
        ("VOLUME /data", "VOLUME is not supported"),
        ("FROM other", "second FROM"),
        ("COPY --from=build /a /b", "COPY --from=build is not supported"),
        ("COPY a", "COPY needs at least one source and a target"),
        ("COPY ../secret /", r"COPY source \.\./secret is outside the build context"),
        ("COPY <<EOF /a", "here-documents are not supported"),
        ("CMD [1]", "not a list of strings"),
        ("CMD ['a']", "not a JSON list"),
        ("ENV A", "ENV A has no value"),
        ("RUN true \\", "ends in the middle of an instruction"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_name(line: str, message: str) -> None:
    """Nothing is silently left out of an image; the message names file, line and instruction."""
    with pytest.raises(DockerfileError, match=message) as caught:
        parse(line)
    assert str(caught.value).startswith("Dockerfile, line 3: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no FROM"),
        ("RUN true", "line 1: RUN before FROM"),
        ("FROM scratch", "neither an ENTRYPOINT nor a CMD"),
        ("# escape=`\nFROM scratch", "line 1: another escape character"),
    ],
)
def test_what_is_no_dockerfile_is_refused(text: str, message: str) -> None:
    """A file that gives nothing to run is no image."""
    with pytest.raises(DockerfileError, match=message):
        parse_dockerfile(text)
