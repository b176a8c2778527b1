"""Hugging Face, or a mirror of it: which files a repository holds."""

from urllib.parse import quote

import httpx
import msgspec

from chassis.weights.download import RemoteFile


class _Blob(msgspec.Struct):
    sha256: str


class _Sibling(msgspec.Struct):
    rfilename: str
    size: int | None = None
    lfs: _Blob | None = None


class _Repository(msgspec.Struct):
    sha: str
    siblings: list[_Sibling]


def list_files(http: httpx.Client, endpoint: str, repository: str) -> list[RemoteFile]:
    """Ask once, since the caller waits to learn that there is no network.

    Raises:
        httpx.HTTPError: The hub does not answer, or refuses.
        msgspec.DecodeError: It answers something else.
    """
    answer = http.get(f"{endpoint}/api/models/{repository}/revision/main", params={"blobs": "true"})
    found = msgspec.json.decode(answer.raise_for_status().content, type=_Repository)
    base = f"{endpoint}/{repository}/resolve/{found.sha}"
    return [
        RemoteFile(each.rfilename, f"{base}/{quote(each.rfilename)}", each.size, each.lfs.sha256 if each.lfs else None)
        for each in found.siblings
    ]
