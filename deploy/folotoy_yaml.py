"""Read a compose file as YAML, by PyYAML where this Python has it; `folotoy_environment` says what else there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import Any

from deploy.folotoy_facts import Mistake, mistake
from deploy.folotoy_files import INTERPOLATED

try:
    import yaml
except ImportError:  # a machine with containers has a plain Python
    yaml = None

FOLOTOY = re.compile(r"folotoy|ROLES_FILE_PATH|SPEECH_UDP_SERVER_HOST", re.IGNORECASE)
_KEYS = re.findall(
    r"\w+",
    "annotations attach build cap_add cap_drop cgroup command configs container_name cpus depends_on deploy develop "
    "devices dns dns_opt dns_search domainname entrypoint env_file environment expose extends external_links "
    "extra_hosts gpus group_add healthcheck hostname image init ipc isolation label_file labels links logging "
    "mac_address mem_limit network_mode networks pid platform ports post_start pre_stop privileged profiles provider "
    "pull_policy read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period "
    "stop_signal storage_opt sysctls tmpfs tty ulimits user userns_mode uts volumes volumes_from working_dir",
)
_TOP = ["services", "networks", "volumes", "configs", "secrets", "include", "models", "version", "name"]
_PORT = re.compile(r"(?:.*:)?(\d+)(?:-(\d+))?(?:/(\w+))?")
_DEEPEST = 20

Pair = tuple[Any, Any]


class Document:
    """A compose file as YAML reads it.

    Args:
        text: The file's text. Without PyYAML, and where it is no YAML, there is nothing in the document.
    """

    def __init__(self, text: str) -> None:
        self.text, self.is_read = text, yaml is not None
        self.broken: Mistake | None = None
        self.roots: list[Any] = []
        try:
            self.roots = [] if yaml is None else [root for root in yaml.compose_all(text, yaml.SafeLoader) if root]
        except yaml.YAMLError as exc:
            self.broken = _broken(text, exc)
        except RecursionError:
            self.broken = mistake((), "error", "endless", line=1)

    @property
    def services(self) -> list[Pair]:
        """The services that are folotoy-server as far as one says so, else all of them."""
        found = [pair for root in self.roots for pair in _pairs(_child(root, "services"))]
        named = [pair for pair in found if FOLOTOY.search(self._text_of(pair))]
        return named or found

    def settings(self) -> Iterator[tuple[int, str, str]]:
        """Yield line, name and value of each setting of folotoy-server."""
        for _, service in self.services:
            environment = _child(service, "environment")
            for key, value in _pairs(environment):
                yield _line(key), key.value, _filled(value)
            for entry in _entries(environment):
                name, equals, value = str(entry.value).partition("=")
                if equals:
                    yield _line(entry), name, INTERPOLATED.sub(lambda found: found[2] or "", value)

    def files(self) -> Iterator[tuple[int, str]]:
        """Yield line and name of each compose file that this one is built on."""
        for _, service in self.services:
            if file := _child(_child(service, "extends"), "file"):
                yield _line(file), _filled(file)
        for root in self.roots:
            for entry in _entries(_child(root, "include")):
                path = _child(entry, "path") or entry
                yield from ((_line(each), _filled(each)) for each in _entries(path) or [path])

    def without_texts(self) -> str:
        """Return the file without the lines of its texts: those in quotes over several lines, and below `|` or `>`."""
        lines = self.text.split("\n")
        for node in self._nodes():
            if isinstance(node, yaml.ScalarNode) and node.style:
                end = node.end_mark.line + (node.end_mark.column > 0)
                for at in range(node.start_mark.line + 1, min(end, len(lines))):
                    lines[at] = ""
        return "\n".join(lines)

    def mistakes(self, explained: AbstractSet[int] = frozenset()) -> Iterator[Mistake]:
        """Give what Docker Compose refuses, and ports that carry no speech.

        Args:
            explained: Lines of which a mistake is known that makes settings a mere text.
        """
        if self.is_read and not self.roots and not self.broken:
            yield mistake((), "error", "empty", line=1)
        yield from self._doubled()
        for root in self.roots:
            yield from _misspelt(root, _TOP)
            services = _child(root, "services")
            if not _pairs(services):
                yield mistake((), "error", "no_services", line=_line(services or root))
        for key, service in self.services:
            if isinstance(service, yaml.MappingNode):
                yield from _misspelt(service, _KEYS)
                yield from _of_service(service, explained)
            else:
                yield mistake((), "error", "no_settings", line=_line(key), name=key.value)

    def _doubled(self) -> Iterator[Mistake]:
        for node in self._nodes():
            seen = set[str]()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if str(key.value) in seen:
                    yield mistake((), "error", "key_twice", line=_line(key), name=key.value)
                seen.add(str(key.value))

    def _nodes(self) -> Iterator[Any]:
        """Yield each node once, however often it is pointed to."""
        seen, waiting = set[int](), [*self.roots]
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            if not isinstance(node, yaml.ScalarNode):
                waiting += [part for each in node.value for part in (each if isinstance(each, tuple) else (each,))]

    def _text_of(self, pair: Pair) -> str:
        return self.text[pair[0].start_mark.index : pair[1].end_mark.index]


def _broken(text: str, exc: Any) -> Mistake:
    """Return what is wrong with a text that is no YAML, at the line where it began."""
    if isinstance(exc, yaml.reader.ReaderError):
        return mistake((), "error", "no_sign", line=text.count("\n", 0, exc.position) + 1)
    began, at = getattr(exc, "context_mark", None), getattr(exc, "problem_mark", None)
    line = at.line + 1 if at else 1
    if "quoted scalar" in str(exc.context) and began:
        return mistake((), "error", "open_quote", line=began.line + 1)
    if "simple key" in str(exc.context) and began:
        return mistake((), "error", "colon_missing", line=began.line + 1)
    before = [number for number, words in enumerate(text.split("\n")[: line - 1], 1) if words.strip()]
    if before and "mapping values" in str(exc.problem) and ":" not in text.split("\n")[before[-1] - 1]:
        return mistake((), "error", "colon_missing", line=before[-1])
    return mistake((), "error", "no_yaml", line=line)


def _of_service(service: Any, explained: AbstractSet[int]) -> Iterator[Mistake]:
    for key, value in _pairs(service):
        is_list, is_empty = isinstance(value, yaml.SequenceNode), isinstance(value, yaml.ScalarNode) and not value.value
        if key.value in ("ports", "volumes") and not is_list and not is_empty:
            yield mistake((), "error", "no_list", line=_line(key), name=key.value)
        is_explained = not explained.isdisjoint(range(_line(value), value.end_mark.line + 2))
        if key.value == "environment" and isinstance(value, yaml.ScalarNode) and value.value and not is_explained:
            yield mistake((), "error", "no_settings", line=_line(key), name=key.value)
        if key.value == "environment":
            for name, said in _pairs(value):
                if not isinstance(said, yaml.ScalarNode):
                    yield mistake((), "error", "no_value", line=_line(name), name=name.value)
    ports = [(entry, *_port(entry)) for entry in _entries(_child(service, "ports"))]
    spoken = [entry for entry, low, high, _ in ports if low <= 8085 <= high]
    if spoken and not any(low <= 8085 <= high and kind == "udp" for _, low, high, kind in ports):
        yield mistake((), "error", "no_udp", line=_line(spoken[0]))


def _port(entry: Any) -> tuple[int, int, str]:
    """Return the container's first and last port of an entry, and what it carries; ports of 0 for what is none."""
    said = {key.value: _filled(value) for key, value in _pairs(entry)}
    written = f"{said.get('target', '')}/{said.get('protocol', 'tcp')}" if said else _filled(entry)
    found = _PORT.fullmatch(written.strip())
    return (int(found[1]), int(found[2] or found[1]), found[3] or "tcp") if found else (0, 0, "tcp")


def _misspelt(node: Any, known: list[str]) -> Iterator[Mistake]:
    for key, _ in _pairs(node):
        near = get_close_matches(str(key.value), known, 1, 0.8)
        if near and key.value not in known:
            yield mistake((), "error", "misspelt", line=_line(key), key=key.value, right=near[0])


def _pairs(node: Any, depth: int = 0) -> list[Pair]:
    """Return names and values of a mapping; those that `<<` brings are there where no own one is."""
    if not isinstance(node, yaml.MappingNode) or depth > _DEEPEST:
        return []
    own = [(key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
    names = {key.value for key, _ in own}
    brought = [value for key, value in node.value if key.value == "<<"]
    sources = [each for value in brought for each in (_entries(value) or [value])]
    return own + [pair for source in sources for pair in _pairs(source, depth + 1) if pair[0].value not in names]


def _entries(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _child(node: Any, name: str) -> Any:
    return next((value for key, value in reversed(_pairs(node)) if key.value == name), None)


def _filled(node: Any) -> str:
    """Return a scalar as Compose gives it on where no variable is set."""
    if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        return ""
    return INTERPOLATED.sub(lambda found: found[2] or "", node.value)


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
