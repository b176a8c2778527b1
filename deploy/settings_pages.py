"""Write `docs/settings.md` and `docs/settings.zh-CN.md` from the `Options` classes: `make docs`.

English sentences are the docstrings of the classes and their fields, Chinese ones are in `docs/settings.zh-CN.toml`.
Variables that no `Options` class has, such as `TALKBOX_PORT`, are in `docs/settings.toml`.
"""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from chassis.settings import Options, ServiceSettings
from chassis.upstream.provider import Provider

ROOT = Path(__file__).parent.parent
SERVICES = ROOT / "services"
_DOCS = ROOT / "docs"
ENGLISH, CHINESE = _DOCS / "settings.md", _DOCS / "settings.zh-CN.md"
_EACH_SERVICE = ("stt", "llm", "tts")
ROOMS = ("chassis", *_EACH_SERVICE)
_LONGEST_DEFAULT = 48
_DECLARES = re.compile(r"^(?:class \w*(?:Options|Settings)\(|UPSTREAMS\b)", re.MULTILINE)


class Setting(NamedTuple):
    """One line of the page: one variable, or the same one of several services."""

    variables: tuple[str, ...]
    default: str
    sentence: str


class Section(NamedTuple):
    """The settings that one `Options` class reads."""

    service: str
    key: str
    """Name in the Chinese file: `stt.WhisperOptions`."""
    module: ModuleType
    sentence: str
    settings: tuple[Setting, ...]


class Words(NamedTuple):
    """The fixed words of one page."""

    head: str
    services: dict[str, str]
    columns: str
    computed: str
    providers: str
    provider_columns: str
    yours: str


_IN_ENGLISH = Words(
    "# Settings\n\n[中文](settings.zh-CN.md)\n\n"
    "Settings live in `.env`, which the first `make up` makes from `.env.example`. After a change: `make up`. Unset "
    "and empty mean the default. Lists are separated by commas; switches are `on` or `off`; times are in seconds. Any "
    "service's setting can be in a file: `API_KEYS_FILE` names a file that holds the value of `API_KEYS`. "
    "`.env` is read as Compose reads it: a `$` in a value wants single quotes.\n\n"
    "This page is generated from the code by `make docs`.\n",
    {
        "": "## The installation",
        "chassis": "## Every service",
        "stt": "## stt: the ears",
        "llm": "## llm: the mind",
        "tts": "## tts: the mouth",
    },
    "| variable | default | meaning |",
    "by the machine",
    "### Known upstreams",
    "| name | address | key | model |",
    "yours to name",
)
IN_CHINESE = Words(
    "# 设置\n\n[English](settings.md)\n\n"
    "设置都写在 `.env` 里；第一次 `make up` 会由 `.env.example` 生成它。改完再运行一次 `make up`。"
    "不写或留空就用默认值。列表用逗号分开；开关写 `on` 或 `off`；时间以秒计。"
    "服务的设置都可以放在文件里：`API_KEYS_FILE` 指定存放 `API_KEYS` 的文件。"
    "`.env` 按 Compose 的规则读取：值里有 `$` 就用单引号。\n\n本页由 `make docs` 从代码生成。\n",
    {
        "": "## 整套安装",
        "chassis": "## 每个服务",
        "stt": "## stt：听",
        "llm": "## llm：想",
        "tts": "## tts：说",
    },
    "| 变量 | 默认值 | 含义 |",
    "看机器",
    "### 已知的上游",
    "| 名字 | 地址 | 密钥 | 模型 |",
    "由你指定",
)


def modules() -> list[ModuleType]:
    """Import every module that declares settings or knows upstreams: the service's own first, its engines last."""
    files = [path for room in ROOMS for path in (SERVICES / room).rglob("*.py")]
    paths = [path for path in files if _DECLARES.search(path.read_text(encoding="utf-8"))]
    paths.sort(key=lambda path: (path.stem != "settings", "engines" in path.parts, path))
    return [import_module(".".join(path.relative_to(SERVICES).with_suffix("").parts)) for path in paths]


def classes(found: list[ModuleType]) -> Iterator[tuple[ModuleType, type[Options]]]:
    """Yield every `Options` class with the module that defines it, in the order of the file."""
    for module in found:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Options) and value.__module__ == module.__name__:
                yield module, value


def sections() -> list[Section]:
    """Return all sections, service by service; a variable that two classes read is in the first one's."""
    shown: set[str] = set()
    made = []
    for module, kind in classes(modules()):
        settings = [setting for setting in _settings(kind) if not shown.issuperset(setting.variables)]
        shown.update(variable for setting in settings for variable in setting.variables)
        if settings:
            service = module.__name__.partition(".")[0]
            made.append(Section(service, f"{service}.{kind.__name__}", module, _line(kind.__doc__), tuple(settings)))
    return sorted(made, key=lambda section: ROOMS.index(section.service))


def other_settings() -> tuple[Setting, ...]:
    """Return the variables that the Makefile, `deploy` and the compose file read."""
    table = tomllib.loads((_DOCS / "settings.toml").read_text())
    return tuple(Setting((name,), entry["default"], entry["sentence"]) for name, entry in table.items())


def page(chinese: bool = False) -> str:
    """Return one of the two pages."""
    words = IN_CHINESE if chinese else _IN_ENGLISH
    return "\n".join([words.head, *_installation(words, chinese), *_services(words, chinese)])


@cache
def translations() -> dict[str, dict[str, str]]:
    """Return the Chinese sentences: `sections` by class, `variables` by name."""
    return tomllib.loads((_DOCS / "settings.zh-CN.toml").read_text())


def _installation(words: Words, chinese: bool) -> Iterator[str]:
    yield f"{words.services['']}\n"
    yield from _table(words, other_settings(), chinese)


def _services(words: Words, chinese: bool) -> Iterator[str]:
    found = sections()
    for service in ROOMS:
        yield f"{words.services[service]}\n"
        module = ""
        for section in (section for section in found if section.service == service):
            if section.module.__name__ != module:
                module = section.module.__name__
                yield f"### [{_room(module)}]({_link(section.module)})\n"
            yield f"{translations()['sections'].get(section.key, '') if chinese else section.sentence}\n"
            yield from _table(words, section.settings, chinese)
        yield from _providers(words, service)


def _table(words: Words, settings: tuple[Setting, ...], chinese: bool) -> Iterator[str]:
    yield f"{words.columns}\n|---|---|---|"
    for setting in settings:
        names = ", ".join(f"`{variable}`" for variable in setting.variables)
        sentence = translations()["variables"].get(setting.variables[0], "") if chinese else setting.sentence
        yield f"| {names} | {setting.default.replace('COMPUTED', words.computed)} | {_cell(sentence)} |"
    yield ""


def providers(service: str) -> dict[str, Provider]:
    """Return the upstreams that a service knows, by name."""
    found = (module for module in modules() if module.__name__.startswith(f"{service}."))
    tables = (vars(module)["PROVIDERS"] for module in found if module.__name__.endswith(".providers"))
    return {name: provider for table in tables for name, provider in table.items()}


def _providers(words: Words, service: str) -> Iterator[str]:
    if not (known := providers(service)):
        return
    yield f"{words.providers}\n\n{words.provider_columns}\n|---|---|---|---|"
    for name, provider in known.items():
        address = f"`{provider.base_url}`" if provider.base_url else words.yours
        model = f"`{provider.model}`" if provider.model else words.yours if provider.needs_model else ""
        yield f"| `{name}` | {address} | {_keys(name, provider)} | {model} |"
    yield ""


def _keys(name: str, provider: Provider) -> str:
    names = provider.also or ((name.upper().replace("-", "_"),) if provider.needs_key else ())
    return ", ".join(f"`{each}_API_KEY`" for each in names)


def _settings(kind: type[Options]) -> Iterator[Setting]:
    """Return the settings of one class, without those that it only inherits or gives another default."""
    for field in msgspec.structs.fields(kind):
        if kind is ServiceSettings or field.name not in ServiceSettings.__struct_fields__:
            variables = tuple(prefix + field.name.upper() for prefix in _prefixes(kind))
            yield Setting(variables, _defaults(kind, field), _docstring(kind, field.name))


def _prefixes(kind: type[Options]) -> tuple[str, ...]:
    if kind is ServiceSettings:
        return tuple(f"{service.upper()}_" for service in _EACH_SERVICE)
    if kind.prefix.startswith("<SERVICE>"):
        return tuple(kind.prefix.replace("<SERVICE>", service.upper()) for service in _EACH_SERVICE)
    return (kind.prefix,)


def _defaults(kind: type[Options], field: Any) -> str:
    if kind is not ServiceSettings:
        return _default(field)
    each = {
        own.prefix.rstrip("_").lower(): _default(_field(own, field.name)) for own in ServiceSettings.__subclasses__()
    }
    each = {service: each[service] for service in _EACH_SERVICE}
    same = len(set(each.values())) == 1
    return each["stt"] if same else ", ".join(f"{service} {default}" for service, default in each.items())


def _field(kind: type[Options], name: str) -> Any:
    return next(field for field in msgspec.structs.fields(kind) if field.name == name)


def _default(field: Any) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return "COMPUTED"
    value = field.default
    if value is msgspec.NODEFAULT or value is None or value in ("", ()):
        return ""
    text = _text(value)
    short = text if len(text) <= _LONGEST_DEFAULT else text[:_LONGEST_DEFAULT].rsplit(" ", 1)[0] + " …"
    size = f" ({value // 2**20} MiB)" if field.name.endswith("_bytes") and value >= 2**20 else ""
    return f"`{short}`{size}"


def _text(value: Any) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case tuple():
            return ",".join(map(str, value))
        case float():
            return f"{value:g}"
    return str(value)


def _docstring(kind: type[Options], name: str) -> str:
    """Return the docstring of a field, from the class that defines it last and gives it one."""
    return next((found[name] for base in kind.__mro__ if name in (found := _docstrings(base))), "")


@cache
def _docstrings(kind: type) -> dict[str, str]:
    if not issubclass(kind, Options):
        return {}
    [definition] = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(sentence))):
                found[name] = _line(sentence)
    return found


def _line(docstring: str | None) -> str:
    """Return the first paragraph as one line."""
    return " ".join((docstring or "").strip().partition("\n\n")[0].split())


def _cell(sentence: str) -> str:
    return sentence.replace("|", "\\|")


def _room(module: str) -> str:
    _, _, path = module.partition(".")
    return path.replace(".", "/").removesuffix("/engine").removesuffix("/settings")


def _link(module: ModuleType) -> str:
    return f"../{Path(module.__file__ or '').relative_to(ROOT)}"


if __name__ == "__main__":
    ENGLISH.write_text(page())
    CHINESE.write_text(page(chinese=True))
