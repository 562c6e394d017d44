"""Container images without containers: what a Dockerfile COPYs, laid out in a folder, and how to start it.

An image is stored by the hash of its content under `<directory>/content/<id>/`; `<directory>/tags/` maps
names to ids, as Docker does. Nothing is downloaded and no RUN line is run (see `dockerfile.py`).
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from local_cloud.atomic_files import write_atomically
from local_cloud.dockerfile import Dockerfile, parse_dockerfile
from local_cloud.errors import LocalCloudError
from local_cloud.image_layout import find_requirements, in_root, lay_out, on_host, tree_digest
from local_cloud.runtime_environments import RuntimeEnvironments, default_directory, lock_digest

ASSET_TAG_PREFIX = "cdkasset-"
"""How the CDK CLI names an image between its build and its push."""
_PYTHON = re.compile(r"(/usr(/local)?/bin/)?python(3(\.\d+)?)?")
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")


class ImageError(LocalCloudError):
    """An image that cannot be built or does not exist."""


@dataclass(frozen=True)
class LocalImage:
    """An image as it lies on disk; `root` stands for its `/`.

    `environment` and `working_directory` are mapped to `root`; `entrypoint` and `command` are as in the
    Dockerfile (see `host_command`). `python` is the interpreter of the environment for the lock file
    `requirements` (its path in the build context) with the SHA-256 `lock_digest`. `user` is recorded only.
    """

    id: str
    root: Path
    python: Path
    environment: Mapping[str, str]
    working_directory: Path
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    user: str
    base: str
    requirements: str
    lock_digest: str

    def host_command(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """A command line of the image as one of this machine.

        `python` as its first word and absolute paths of copied files are mapped; paths that the image does
        not hold (`/opt/ml/...`) stay as they are.
        """
        words = [on_host(word, root=self.root) for word in arguments]
        if words and _PYTHON.fullmatch(arguments[0]):
            words[0] = str(self.python)
        return tuple(words)


def image_manifest(image_id: str) -> str:
    """The manifest by which a registry knows the image: the same image has the same one, byte for byte."""
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    config = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "digest": f"sha256:{image_id}",
        "size": 0,
    }
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": []})


def image_digest(image_id: str) -> str:
    """The digest by which a registry knows the image: that of its manifest."""
    return f"sha256:{hashlib.sha256(image_manifest(image_id).encode()).hexdigest()}"


class ImageStore:
    """All images of one state directory; several processes may use it at a time."""

    def __init__(self, directory: Path, environments: RuntimeEnvironments | None = None) -> None:
        self._content = directory.absolute() / "content"
        self._tags = directory.absolute() / "tags"
        self._environments = environments or RuntimeEnvironments(default_directory())

    def add(
        self,
        tag: str,
        context: Path,
        dockerfile: str = "Dockerfile",
        *,
        build_arguments: Mapping[str, str] | None = None,
    ) -> LocalImage:
        """Build an image from `context` and name it `tag`; the same content gives the same image.

        The image's Python environment need not be prepared yet: `resolve` asks for it. Raises
        DockerfileError or ImageError.
        """
        path = context / dockerfile
        try:
            text = path.read_text()
        except OSError as error:
            raise ImageError(f"cannot read {path}: {error.strerror}") from error
        parsed = parse_dockerfile(text, name=str(path), build_arguments=build_arguments)
        self._content.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._content, prefix=".building-") as folder:
            root = Path(folder) / "root"
            copied = lay_out(root, parsed, context=context.resolve(), name=str(path))
            in_root(root, parsed.working_directory).mkdir(parents=True, exist_ok=True)
            requirements = find_requirements(parsed, copied, name=str(path))
            record = _record(parsed, requirements=requirements, lock=context / requirements, root=root)
            image_id = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
            (Path(folder) / "image.json").write_text(json.dumps(record, indent=1))
            self._keep(Path(folder), image_id)
        self.tag(image_id, tag)
        return self._load(image_id)

    def tag(self, image_id: str, name: str) -> None:
        """Give an image a (further) name; a name that another image had moves to this one."""
        write_atomically(self._tags / quote(name, safe=""), image_id)

    def untag(self, name: str) -> bool:
        """Take a name away; whether there was one. The content stays, for the other names it may have."""
        path = self._tags / quote(name, safe="")
        existed = path.exists()
        path.unlink(missing_ok=True)
        return existed

    def tags(self) -> dict[str, str]:
        """Image id by name."""
        if not self._tags.is_dir():
            return {}
        paths = [path for path in sorted(self._tags.iterdir()) if not path.name.startswith(".")]
        return {unquote(path.name): path.read_text() for path in paths}

    def find(self, name: str) -> LocalImage | None:
        """The image with exactly this name, whether or not its environment is prepared."""
        image_id = self.tags().get(name)
        return self._load(image_id) if image_id and self._is_kept(image_id) else None

    def resolve(self, image_uri: str) -> LocalImage:
        """The image that a job's or model's image URI means, ready to run.

        A URI of the CDK's (`<repository>:<asset hash>`) also finds an image that was built for that asset
        and not pushed. Raises ImageError if there is no such image, RuntimeEnvironmentError if it is not
        ready.
        """
        image = self._by_digest(image_uri) or self._by_name(image_uri)
        if image is None:
            raise ImageError(
                f"no image {image_uri} in the local cloud; deploy the stack whose asset it is with the variables "
                "of `python -m local_cloud env`, which builds it from its Dockerfile"
            )
        return self.ready(image)

    def ready(self, image: LocalImage) -> LocalImage:
        """The same image, or RuntimeEnvironmentError if the environment that it runs in is not prepared."""
        self._environments.require(image.lock_digest, requirements=image.requirements)
        return image

    def _by_name(self, image_uri: str) -> LocalImage | None:
        tag = image_uri.rpartition(":")[2]
        names = (image_uri, tag, ASSET_TAG_PREFIX + tag)
        return next((image for image in map(self.find, names) if image is not None), None)

    def _by_digest(self, image_uri: str) -> LocalImage | None:
        match = _DIGEST.search(image_uri)
        if match is None:
            return None
        ids = [identity for identity in self.tags().values() if image_digest(identity) == match[1]]
        return self._load(ids[0]) if ids else None

    def _is_kept(self, image_id: str) -> bool:
        return (self._content / image_id / "image.json").is_file()

    def _keep(self, folder: Path, image_id: str) -> None:
        if self._is_kept(image_id):
            return
        try:
            folder.rename(self._content / image_id)
        except OSError:
            if not self._is_kept(image_id):  # otherwise another process has just built the same
                raise
        else:
            folder.mkdir()  # what TemporaryDirectory will remove

    def _load(self, image_id: str) -> LocalImage:
        folder = self._content / image_id
        root = folder / "root"
        record = json.loads((folder / "image.json").read_text())
        python = self._environments.python(record["lock_digest"])
        environment = {name: on_host(value, root=root) for name, value in record["environment"].items()}
        return LocalImage(
            id=image_id,
            root=root,
            python=python,
            environment=environment | {"PATH": f"{python.parent}:{environment['PATH']}"},
            working_directory=in_root(root, record["working_directory"]),
            entrypoint=tuple(record["entrypoint"]),
            command=tuple(record["command"]),
            user=record["user"],
            base=record["base"],
            requirements=record["requirements"],
            lock_digest=record["lock_digest"],
        )


def _record(parsed: Dockerfile, *, requirements: str, lock: Path, root: Path) -> dict[str, Any]:
    """image.json: all that an image is, so that its hash is the image's id."""
    return {
        "base": parsed.base,
        "environment": dict(parsed.environment),
        "working_directory": str(parsed.working_directory),
        "user": parsed.user,
        "entrypoint": parsed.entrypoint,
        "command": parsed.command,
        "runs": parsed.runs,
        "requirements": requirements,
        "lock_digest": lock_digest(lock),
        "tree": tree_digest(root),
    }
