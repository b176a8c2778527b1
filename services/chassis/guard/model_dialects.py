"""APIs of guard models and moderation services: what is sent for a text, and what an answer means.

Sources: the model card of Qwen3Guard-Gen; OpenAI's API reference (moderations); learn.microsoft.com/azure/ai-services/
content-safety (text:analyze, 2024-09-01); help.aliyun.com/document_detail/2671445.html (TextModerationPlus).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode
from uuid import uuid4

import msgspec

from chassis.guard.rules import Finding, Side
from chassis.settings import SettingError
from chassis.upstream.aliyun import signature

NOTHING = Finding((), frozenset())
OTHER = "violence"
"""The kind of risk for an unsafe text whose category is not in the tables."""
_QWEN_KINDS = {
    "violent": "violence",
    "non-violent illegal acts": "crime",
    "sexual content or sexual acts": "sexual",
    "pii": "personal-data",
    "suicide & self-harm": "self-harm",
    "unethical acts": "bullying",
    "politically sensitive topics": "politics",
    "jailbreak": "jailbreak",
}
SAFETY = ("safe", "controversial", "unsafe")
"""Values of the line `Safety`; where a text has talked the model into several, the last of these counts."""
_OPENAI_KINDS = {
    "harassment": "bullying",
    "hate": "hate",
    "illicit": "crime",
    "self-harm": "self-harm",
    "sexual": "sexual",
    "sexual/minors": "grooming",
    "violence": "violence",
}
"""Kind of risk for each category; where the whole name is missing, the part before its slash is looked up."""
_AZURE_KINDS = {"Hate": "hate", "SelfHarm": "self-harm", "Sexual": "sexual", "Violence": "violence"}
_AZURE_LOW, _AZURE_MEDIUM = 2, 4
"""Azure's severities are 0, 2 (low), 4 (medium) and 6 (high)."""
_ALIYUN_KINDS = {
    "pornographic": "sexual",
    "sexual": "sexual",
    "political": "politics",
    "violent": "violence",
    "violent_extremist": "extremism",
    "violent_weapons": "weapons",
    "contraband": "crime",
    "contraband_drug": "drugs",
    "contraband_gambling": "gambling",
    "inappropriate": "profanity",
    "inappropriate_discrimination": "hate",
    "inappropriate_ethics": "bullying",
    "religion": "politics",
    "pt": "spending",
}
"""Kind of risk for each label; where the whole name is missing, the part before its first underscore is looked up."""
_ALIYUN_MOST = 2_000
"""Most characters that the service for questions takes."""
_LINE = re.compile(r"^\s*(safety|categories)\s*:\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)


class SaidText(NamedTuple):
    """A text that is to be judged.

    Args:
        child: What the child said before an answer.
    """

    text: str
    side: Side
    child: str


class Dialect(Protocol):
    """The API of one guard model or moderation service."""

    path: str
    """The path that is added to the base address."""
    wants_key: bool

    def headers(self, key: str) -> dict[str, str]:
        """Return the headers of each request.

        Raises:
            SettingError: The key is not of the form that it has to be.
        """

    def body(self, said: SaidText, key: str, model: str) -> bytes:
        """Return the body of the request that has a text judged."""

    def finding(self, answer: Any) -> Finding:
        """Return the kinds of risk that an answer names.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: It is none.
        """


class Qwen3Guard(Dialect):
    """A chat whose answer has the lines `Safety: …` and `Categories: …`; what is controversial is a hint."""

    path, wants_key = "/chat/completions", False

    def headers(self, key: str) -> dict[str, str]:
        return _json() | _bearer(key)

    def body(self, said: SaidText, key: str, model: str) -> bytes:
        talk = [{"role": "user", "content": said.text if said.side == "asked" else said.child}]
        if said.side == "answered":
            talk.append({"role": "assistant", "content": said.text})
        return msgspec.json.encode({"model": model, "messages": talk, "temperature": 0, "max_tokens": 64})

    def finding(self, answer: Any) -> Finding:
        text = answer["choices"][0]["message"]["content"]
        lines = [(name.lower(), value.lower()) for name, value in _LINE.findall(text)]
        named = [each.strip() for name, value in lines if name == "categories" for each in value.split(",")]
        kinds = tuple(dict.fromkeys(_QWEN_KINDS.get(each, OTHER) for each in named if each not in ("", "none")))
        match max(SAFETY.index(value) for name, value in lines if name == "safety"):
            case 0:
                return NOTHING
            case 1:
                return Finding((), frozenset(kinds))
            case _:
                return Finding(kinds or (OTHER,), frozenset())


class Moderations(Dialect):
    """OpenAI's moderations, and what others offer under the same path."""

    path, wants_key = "/moderations", False

    def headers(self, key: str) -> dict[str, str]:
        return _json() | _bearer(key)

    def body(self, said: SaidText, key: str, model: str) -> bytes:
        return msgspec.json.encode({"model": model, "input": said.text})

    def finding(self, answer: Any) -> Finding:
        result = answer["results"][0]
        if not result["flagged"]:
            return NOTHING
        named = [name for name, is_flagged in result["categories"].items() if is_flagged]
        return Finding(_kinds(named, _OPENAI_KINDS, "/") or (OTHER,), frozenset())


class AzureContentSafety(Dialect):
    """Azure's analysis of a text: from a medium severity on it is stopped, a low one is a hint."""

    path, wants_key = "/contentsafety/text:analyze?api-version=2024-09-01", True

    def headers(self, key: str) -> dict[str, str]:
        return _json() | {"ocp-apim-subscription-key": key}

    def body(self, said: SaidText, key: str, model: str) -> bytes:
        asked = {"text": said.text, "categories": list(_AZURE_KINDS), "outputType": "FourSeverityLevels"}
        return msgspec.json.encode(asked)

    def finding(self, answer: Any) -> Finding:
        found = {each["category"]: int(each["severity"]) for each in answer["categoriesAnalysis"]}
        stopped = [name for name, severity in found.items() if severity >= _AZURE_MEDIUM]
        hinted = [name for name, severity in found.items() if _AZURE_LOW <= severity < _AZURE_MEDIUM]
        return Finding(_kinds(stopped, _AZURE_KINDS), frozenset(_kinds(hinted, _AZURE_KINDS)))


class AliyunGreen(Dialect):
    """Alibaba Cloud's content security for language models; a low risk is a hint."""

    path, wants_key = "/", True

    def headers(self, key: str) -> dict[str, str]:
        if not all(key.partition(":")[::2]):
            raise SettingError("it takes `ACCESS_KEY_ID:ACCESS_KEY_SECRET`")
        return {"content-type": "application/x-www-form-urlencoded"}

    def body(self, said: SaidText, key: str, model: str) -> bytes:
        key_id, _, secret = key.partition(":")
        service = "llm_query_moderation" if said.side == "asked" else "llm_response_moderation"
        parameters = {
            "AccessKeyId": key_id,
            "Action": "TextModerationPlus",
            "Version": "2022-03-02",
            "Format": "JSON",
            "Service": service,
            "ServiceParameters": msgspec.json.encode({"content": said.text[-_ALIYUN_MOST:]}).decode(),
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": str(uuid4()),
        }
        return urlencode(parameters | {"Signature": signature(parameters, secret, "POST")}).encode()

    def finding(self, answer: Any) -> Finding:
        if int(answer["Code"]) != 200:
            raise LookupError("Code")
        data = answer["Data"]
        labels = [each["Label"] for each in data.get("Result") or () if each["Label"] != "nonLabel"]
        attack = ("jailbreak",) if str(data.get("AttackLevel") or "none").lower() in ("high", "medium") else ()
        match str(data["RiskLevel"]).lower():
            case "none":
                return Finding(attack, frozenset())
            case "low":
                return Finding(attack, frozenset(_kinds(labels, _ALIYUN_KINDS, "_")))
            case "medium" | "high" | "max":
                return Finding((*attack, *(_kinds(labels, _ALIYUN_KINDS, "_") or (OTHER,))), frozenset())
        raise LookupError("RiskLevel")


DIALECTS: dict[str, Dialect] = {
    "qwen3guard": Qwen3Guard(),
    "moderations": Moderations(),
    "azure": AzureContentSafety(),
    "aliyun": AliyunGreen(),
}


def _json() -> dict[str, str]:
    return {"content-type": "application/json"}


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _kinds(names: Iterable[str], table: Mapping[str, str], separator: str = "/") -> tuple[str, ...]:
    return tuple(dict.fromkeys(table.get(name) or table.get(name.partition(separator)[0], OTHER) for name in names))
