"""Rules for what folotoy-server's files ask of Talkbox: keys, models, languages and voices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from deploy.folotoy_facts import Facts, Mistake, Path, mistake
from deploy.folotoy_mends import set_to
from deploy.folotoy_names import COUNTRIES, ENGINES, OPENAI_VOICES, PINNED, PLACEHOLDER, USUAL_MODELS


def setting_mistakes(config: dict[str, Any], service: str, facts: Facts) -> Iterator[Mistake]:
    """Give what Talkbox does not have of a service's key, model and voice; none where the address is not Talkbox's."""
    if not is_ours(str(config.get("api_base", "")), facts):
        return
    yield from key_mistakes((), config, facts)
    yield from model_mistakes(("model",), str(config.get("model", "")).strip(), service, facts)
    yield from spoken_mistakes((), {}, config, service, facts)


def is_ours(base: str, facts: Facts) -> bool:
    """Return whether an address is one of Talkbox's, by its port."""
    try:
        return urlsplit(base.strip()).port in facts.at(urlsplit(base.strip()).hostname).ports
    except ValueError:
        return False


def key_mistakes(path: Path, config: dict[str, Any], facts: Facts) -> Iterator[Mistake]:
    """Give what is wrong with the key beside an address."""
    key, ours = config.get("key"), is_ours(str(config.get("api_base", "")), facts)
    if key is None and not ours:
        return
    if key is None:
        yield mistake(path, "warning", "no_key")
    elif not isinstance(key, str):
        return
    elif PLACEHOLDER.search(key.strip()):
        yield mistake((*path, "key"), "error", "placeholder")
    elif ours and facts.keys and key.strip() not in facts.keys:
        yield mistake((*path, "key"), "error", "wrong_key")


def model_mistakes(path: Path, model: str, service: str, facts: Facts) -> Iterator[Mistake]:
    """Give what is wrong with the name of a model: an engine that does not answer, or a last resort alone."""
    name = model.partition("/")[0]
    chain = [part.strip() for part in facts.chains.get(service, "").split(",") if part.strip()]
    if chain and name in ENGINES[service] and name not in chain:
        yield mistake(path, "error", "no_engine", name=name, variable=f"{service.upper()}_ENGINES")
    elif name == PINNED[service]:
        yield mistake(path, "warning", "pinned", name=name, model=USUAL_MODELS[service])


def _language(path: Path, role: dict[str, Any], config: dict[str, Any]) -> Iterator[Mistake]:
    language = config.get("language", role.get("language"))
    if not isinstance(language, str):
        return
    is_of_azure = re.fullmatch(r"[a-z]{2}-[A-Za-z]{2,4}", language)
    right = language[:2] if is_of_azure else COUNTRIES.get(language.strip().lower())
    if right:
        mend = (lambda text: set_to(text, (*path, "language"), right)) if "language" in config else None
        code = "azure_language" if is_of_azure else "no_language"
        yield mistake((*path, "language"), "warning", code, mend, language=language, right=right)


def _is_voice(name: str, facts: Facts) -> bool:
    """Return whether tts knows a voice, in whichever letters; eSpeak's have variants behind a plus sign."""
    known = {voice.lower() for voice in (*facts.voices, *OPENAI_VOICES)}
    return bool({name.lower(), name.lower().partition("+")[0]} & known)


def spoken_mistakes(
    path: Path, role: dict[str, Any], config: dict[str, Any], service: str, facts: Facts
) -> Iterator[Mistake]:
    """Give what is wrong with the language that is heard, and with the voice that speaks."""
    if service == "stt":
        yield from _language(path, role, config)
    voice = str(config.get("voice_name", role.get("voice_name", ""))).strip()
    if service != "tts" or not voice:
        return
    at = (*path, "voice_name") if "voice_name" in config else (*path[:-1], "voice_name")
    if facts.voices and not _is_voice(voice, facts) and is_ours(str(config.get("api_base", "")), facts):
        near = get_close_matches(voice, facts.voices, 1, 0.75)
        yield (
            mistake(at, "error", "near_voice", voice=voice, near=near[0])
            if near
            else mistake(at, "error", "unknown_voice", voice=voice)
        )
    chinese = bool(re.search(r"[一-鿿]", str(role.get("start_text", ""))))
    tag = re.match(r"([a-z]{2,3})-[A-Z]{2}-", voice)
    if not tag or tag[1] == "ja" or "Multilingual" in voice or not role.get("start_text"):
        return
    if (tag[1] in ("zh", "yue", "wuu")) != chinese:
        yield mistake(at, "warning", "other_language", voice=voice)
