"""ModelScope, which is near to China: which files a repository holds."""

import httpx
import msgspec

from chassis.weights.download import RemoteFile


class _Entry(msgspec.Struct, rename="pascal"):
    path: str
    size: int | None = None
    sha256: str = ""


class _Entries(msgspec.Struct, rename="pascal"):
    files: list[_Entry]


class _Listing(msgspec.Struct, rename="pascal"):
    data: _Entries


def list_files(http: httpx.Client, endpoint: str, repository: str) -> list[RemoteFile]:
    """Ask once, since the caller waits to learn that there is no network.

    Raises:
        httpx.HTTPError: The hub does not answer, or refuses.
        msgspec.DecodeError: It answers something else.
    """
    base = f"{endpoint}/api/v1/models/{repository}/repo"
    answer = http.get(f"{base}/files", params={"Revision": "master", "Recursive": "true"})
    found = msgspec.json.decode(answer.raise_for_status().content, type=_Listing)
    return [
        RemoteFile(
            each.path,
            str(httpx.URL(base, params={"Revision": "master", "FilePath": each.path})),
            each.size,
            each.sha256 or None,
        )
        for each in found.data.files
    ]
