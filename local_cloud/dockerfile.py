"""Reads the part of the Dockerfile language that can be carried out without Docker.

RUN lines are kept but not run: the Python environment prepared from the image's lock file stands in for
what they install. What would be lost silently is refused by name. Nothing is copied here: `images.py` does
that. Reference: https://docs.docker.com/reference/dockerfile/
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from local_cloud.errors import LocalCloudError

BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH of the official base images, for lines such as `ENV PATH=/opt/tools/bin:$PATH`."""
_WITHOUT_EFFECT = frozenset({"LABEL", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "MAINTAINER"})
_VARIABLE = re.compile(r"\\(?P<escaped>.)|\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<rule>:[-+])(?P<word>[^}]*))?\})")


class DockerfileError(LocalCloudError):
    """A Dockerfile that cannot be carried out here."""


@dataclass(frozen=True)
class Copy:
    """One COPY: `sources` relative to the context, `target` absolute in the image, a folder if `into`."""

    sources: tuple[str, ...]
    target: PurePosixPath
    into: bool
    mode: int | None
    line: int


@dataclass(frozen=True)
class Dockerfile:
    """What an image is, according to its Dockerfile. `user` and `runs` are recorded, not acted on."""

    base: str
    environment: Mapping[str, str]
    working_directory: PurePosixPath
    user: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    copies: tuple[Copy, ...]
    runs: tuple[str, ...]


def parse_dockerfile(
    text: str, *, name: str = "Dockerfile", build_arguments: Mapping[str, str] | None = None
) -> Dockerfile:
    """The image that `text` describes. Raises DockerfileError with the file's `name` and the line."""
    reader = _Reader(name=name, build_arguments=dict(build_arguments or {}))
    for line, instruction, rest in _instructions(text, name=name):
        reader.read(line, instruction, rest)
    return reader.result()


def _instructions(text: str, *, name: str) -> Iterator[tuple[int, str, str]]:
    """(line number, INSTRUCTION, the rest) of each instruction."""
    for line, joined in _joined_lines(text, name=name):
        instruction, rest = (*joined.split(maxsplit=1), "")[:2]
        if re.search(r"<<-?[\"']?[A-Za-z_]", rest):
            raise DockerfileError(
                f"{name}, line {line}: here-documents are not supported by the local cloud; "
                "put the text into a file and COPY it"
            )
        yield line, instruction.upper(), rest


def _joined_lines(text: str, *, name: str) -> Iterator[tuple[int, str]]:
    """Lines with comments dropped and continued ones joined, each with the number of its first."""
    pending, started = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if re.match(r"#\s*escape\s*=\s*`", line):
            raise DockerfileError(f"{name}, line {number}: another escape character is not supported; use \\")
        if not line or line.startswith("#"):
            continue
        started = started or number
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        yield started, (pending + line).strip()
        pending, started = "", 0
    if pending:
        raise DockerfileError(f"{name}, line {started}: the file ends in the middle of an instruction")


@dataclass
class _Reader:
    """Mutable: the state of the image after each instruction."""

    name: str
    build_arguments: dict[str, str]
    line: int = 0
    base: str | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    global_arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH})
    working_directory: PurePosixPath = field(default_factory=lambda: PurePosixPath("/"))
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    copies: list[Copy] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def read(self, line: int, instruction: str, rest: str) -> None:
        self.line = line
        if self.base is None and instruction not in ("FROM", "ARG"):
            raise self._error(f"{instruction} before FROM")
        method = getattr(self, f"_read_{instruction.lower()}", None)
        if method is not None:
            method(rest)
        elif instruction not in _WITHOUT_EFFECT:
            raise self._error(f"{instruction} is not supported by the local cloud{_advice(instruction)}")

    def result(self) -> Dockerfile:
        if self.base is None:
            raise DockerfileError(f"{self.name}: there is no FROM instruction")
        if not self.entrypoint and not self.command:
            raise DockerfileError(f"{self.name}: there is neither an ENTRYPOINT nor a CMD, so nothing can be run")
        return Dockerfile(
            base=self.base,
            environment=self.environment,
            working_directory=self.working_directory,
            user=self.user,
            entrypoint=self.entrypoint,
            command=self.command,
            copies=tuple(self.copies),
            runs=tuple(self.runs),
        )

    def _error(self, problem: str) -> DockerfileError:
        return DockerfileError(f"{self.name}, line {self.line}: {problem}")

    def _read_from(self, rest: str) -> None:
        if self.base is not None:
            raise self._error(
                "a second FROM: the local cloud does not build in several stages, whose RUN lines would have "
                "to be run; COPY what the image needs from the build context"
            )
        words = [word for word in rest.split() if not word.startswith("--")]
        self.base = self._expand(words[0]) if words else ""
        if not self.base:
            raise self._error("FROM names no image")
        self.global_arguments, self.arguments = self.arguments, {}

    def _read_arg(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, has_default, default = word.partition("=")
            if name in self.build_arguments:
                self.arguments[name] = self.build_arguments[name]
            elif has_default:
                self.arguments[name] = self._expand(default)
            elif name in self.global_arguments:
                self.arguments[name] = self.global_arguments[name]

    def _read_env(self, rest: str) -> None:
        first = rest.split(maxsplit=1)
        if "=" not in first[0]:
            if len(first) != 2:
                raise self._error(f"ENV {first[0]} has no value")
            self.environment[first[0]] = self._expand(first[1])
            return
        # The values of one instruction all see the environment before it.
        pairs = [word.partition("=") for word in shlex.split(self._expand(rest))]
        self.environment.update({name: value for name, _, value in pairs})

    def _read_workdir(self, rest: str) -> None:
        self.working_directory = self._inside(self._expand(rest))

    def _read_user(self, rest: str) -> None:
        self.user = self._expand(rest)

    def _read_run(self, rest: str) -> None:
        self.runs.append(rest)

    def _read_entrypoint(self, rest: str) -> None:
        self.entrypoint = self._exec_form("ENTRYPOINT", rest)
        self.command = ()  # as Docker does: a CMD counts only after its ENTRYPOINT

    def _read_cmd(self, rest: str) -> None:
        self.command = self._exec_form("CMD", rest)

    def _read_copy(self, rest: str) -> None:
        options, words = self._copy_words(rest)
        mode = None
        for option in options:
            name, _, value = option.partition("=")
            if name == "--chmod" and re.fullmatch(r"0?[0-7]{3}", value):
                mode = int(value, 8)
            elif name not in ("--chown", "--link"):
                # Ownership has no meaning here: all files belong to whoever runs the local cloud.
                raise self._error(f"COPY {option} is not supported by the local cloud")
        if len(words) < 2:
            raise self._error("COPY needs at least one source and a target")
        *sources, target = [self._expand(word) for word in words]
        for source in sources:
            if ".." in PurePosixPath(source).parts:
                raise self._error(f"COPY source {source} is outside the build context")
        into = target.endswith("/") or target in (".", "..") or len(sources) > 1
        self.copies.append(Copy(tuple(sources), self._inside(target), into=into, mode=mode, line=self.line))

    def _copy_words(self, rest: str) -> tuple[list[str], list[str]]:
        options = []
        while rest.startswith("--"):
            option, _, rest = rest.partition(" ")
            options.append(option)
            rest = rest.strip()
        return options, list(self._json_words(rest)) if rest.startswith("[") else shlex.split(rest)

    def _exec_form(self, instruction: str, rest: str) -> tuple[str, ...]:
        if not rest.startswith("["):
            raise self._error(
                f"{instruction} in its shell form is not supported by the local cloud; "
                f'write it as a list: {instruction} ["program", "argument"]'
            )
        return self._json_words(rest)

    def _json_words(self, rest: str) -> tuple[str, ...]:
        try:
            words = json.loads(rest)
        except ValueError as error:
            raise self._error(f"not a JSON list: {rest}") from error
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise self._error(f"not a list of strings: {rest}")
        return tuple(words)

    def _inside(self, path: str) -> PurePosixPath:
        """`path` as an absolute path of the image; `..` cannot climb above its root."""
        parts: list[str] = []
        for part in (self.working_directory / path).parts[1:]:
            if part == "..":
                parts = parts[:-1]
            else:
                parts.append(part)
        return PurePosixPath("/", *parts)

    def _expand(self, text: str) -> str:
        values = self.arguments | self.environment  # ENV wins over ARG, as in Docker

        def value(match: re.Match[str]) -> str:
            if match["escaped"] is not None:
                return match[0] if match["escaped"] != "$" else "$"
            found = values.get(match["plain"] or match["name"], "")
            if match["rule"] == ":-":
                return found or match["word"]
            if match["rule"] == ":+":
                return match["word"] if found else ""
            return found

        return _VARIABLE.sub(value, text)


def _advice(instruction: str) -> str:
    return "; use COPY" if instruction == "ADD" else ""
