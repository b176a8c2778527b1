"""Base URLs as people write them, put into the one form to which the path of a question is added."""

import re
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from chassis.upstream.pasted import plain

QUESTIONS = (
    *("/chat/completions", "/completions", "/responses", "/embeddings", "/models"),
    "/text/chatcompletion_v2",
    *("/audio/transcriptions", "/audio/translations", "/audio/speech", "/audio/voices"),
)
"""Paths of the dialect that are often left at the end of a base URL."""
AZURE = re.compile(r".*\.(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)", re.IGNORECASE)

_SCHEME = re.compile(
    r"(?<![\w./-])(?:h+t{2,}p|h?tt+p|htp|hptt?p)(s?)(?:[:;]+[/\\]+|[/\\]{2,}|[:;](?=[a-z]))", re.IGNORECASE
)
"""The beginning of an address, also one that is mistyped: `htttp://`, `http//`, `https:\\`."""
_END = re.compile(r"\]\(|[\s'\"`<>)]")
_NEXT = re.compile(r"\s|[,;、|]\s*(?=https?://|[\u3400-\u9fff])")
"""The end of an address where a remark or another address follows."""


class Address(NamedTuple):
    """A base URL without its query, and the query."""

    base_url: str
    query: str = ""


def address(text: str, path: str, usual: str | None) -> Address:
    """Return `text` with a scheme and a version, and without the path of a question and a fragment.

    Args:
        path: Path of the question that is asked there, such as `/chat/completions`.
        usual: Base URL of the table of providers, whose path stands in where `text` has none.
    """
    text = _only_address(plain(text))
    if "://" not in text:
        host = text.lstrip("/")
        text = f"{'http' if _is_private(host) else 'https'}://{host}"
    scheme, _, rest = text.partition("://")
    rest = rest.partition("#")[0].rstrip()
    rest, _, query = rest.partition("?")
    host, slash, below = rest.partition("/")
    below = _without_question(f"{slash}{below}".rstrip("/"), path)
    return Address(f"{scheme.lower()}://{host}{_whole_path(below, _usual_path(host, usual))}", query)


def _only_address(text: str) -> str:
    """Return the first address in `text`, without what is pasted with it: `curl`, the signs of a link, another name."""
    found = _SCHEME.search(text)
    if found is None:
        return text
    while again := _SCHEME.match(text[found.end() :]):  # `https://https://`
        text, found = text[found.end() :], again
    rest = text[found.end() :].replace("\\", "/")
    after = _END if found.start() > 0 else _NEXT
    rest = after.split(rest.lstrip(), maxsplit=1)[0]
    return f"http{found[1].lower()}://{rest}"


def _without_question(path: str, own: str) -> str:
    for question in (own, *QUESTIONS):
        if path.lower().endswith(question):
            return path[: -len(question)].rstrip("/")
    return path


def _whole_path(path: str, usual: str) -> str:
    """Return the provider's usual path for one that is only its beginning: `/api` where it is `/api/v1`."""
    return usual if usual.startswith(f"{path}/") else path


def _usual_path(host: str, usual: str | None) -> str:
    if AZURE.fullmatch(_name(host)):
        return "/openai/v1"
    return urlsplit(usual or "").path or "/v1"


def _name(host: str) -> str:
    """Return a host without its credentials and its port."""
    host = host.rpartition("@")[2]
    return host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]


def _is_private(address: str) -> bool:
    """Tell whether an address without a scheme means a machine nearby, which seldom has a certificate."""
    host = address.partition("/")[0].partition("?")[0]
    name = _name(host)
    try:
        return not ip_address(name).is_global
    except ValueError:
        port = re.search(r":(\d+)$", host)
        near = "." not in name or name.endswith((".localhost", ".local", ".lan", ".internal"))
        return near or (port is not None and port[1] not in ("443", "8443"))
