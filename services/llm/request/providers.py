"""Known upstreams: what an operator need not look up. Each value can be overridden; a row of one's own needs none.

What each wants to be asked is here too: the field that switches its thinking off is ignored by one vendor and refused
by the next, so each is sent to the vendor that knows it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chassis.settings import read, value_of
from chassis.upstream.provider import Provider
from chassis.upstream.settings import Rows
from llm.settings import FoloToyRelayOptions, RelayOptions, fields_of

Fields = Mapping[str, Any]
Switches = tuple[tuple[str, Fields], ...]
"""Patterns of models, each with the fields that switch its thinking off, or down where it has no switch."""


class Mind(Provider, frozen=True):
    """A provider of conversations.

    Args:
        switches: Fields that switch its thinking off; the first pattern that matches the model decides.
        knows_developer: Whether it knows that role; `system` is known to all.
        limit: Name of the limit of tokens, where it knows one name only.
    """

    folotoy_fields = (*Provider.folotoy_fields, *FoloToyRelayOptions.__struct_fields__)
    switches: Switches = ()
    knows_developer: bool = False
    limit: Literal["max_tokens"] | None = None


def _always(**fields: Any) -> Switches:
    return ((".*", fields),)


_DISABLED = {"type": "disabled"}
_DISABLE = _always(enable_thinking=False)
_TEMPLATE = _always(chat_template_kwargs={"enable_thinking": False})
_EFFORT: Switches = (
    (r"(?:.*/)?gpt-5(?!\.)", {"reasoning_effort": "minimal"}),
    (r"(?:.*/)?gpt-(?:5\.|[6-9]|\d\d)", {"reasoning_effort": "none"}),
    (r"(?:.*/)?o\d", {"reasoning_effort": "low"}),
)

_MOONSHOT = Mind(
    "https://api.moonshot.cn/v1",
    "kimi-k3",
    also=("MOONSHOT", "KIMI"),
    folotoy="MOONSHOT_",
    preferred=("kimi-k3", "kimi-k3.1-pro", "kimi-k2.6"),
    switches=(("kimi-k3", {"reasoning_effort": "low"}), (".*", {"thinking": _DISABLED})),
    limit="max_tokens",
)
_DASHSCOPE = Mind(
    "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "qwen-plus",
    also=("DASHSCOPE", "QWEN", "ALIYUN"),
    folotoy="DASHSCOPE_",
    folotoy_extra={"enable_search": "DASHSCOPE_ENABLE_SEARCH"},
    preferred=("qwen-plus", "qwen-flash", "qwen3.7-plus", "qwen3.6-plus"),
    switches=_DISABLE,
    limit="max_tokens",
)
_ZHIPU = Mind(
    "https://open.bigmodel.cn/api/paas/v4",
    "glm-4.7-flash",
    also=("ZHIPU", "ZHIPUAI", "GLM", "BIGMODEL"),
    folotoy="ZHIPU_",
    preferred=("glm-4.7-flash", "glm-5.3-flash", "glm-4-flash-250414"),
    switches=_always(thinking=_DISABLED),
    limit="max_tokens",
)
_ARK = Mind(
    "https://ark.cn-beijing.volces.com/api/v3",
    needs_model=True,
    also=("ARK", "VOLCENGINE", "DOUBAO"),
    folotoy="VOLCENGINE_",
    retired=dict.fromkeys(
        ("VOLCENGINE_ACCESS_KEY", "VOLCENGINE_SECRET_KEY"),
        "the API it was for has ended; make an API key of Ark at console.volcengine.com/ark, and set ARK_API_KEY "
        "(or VOLCENGINE_KEY) and VOLCENGINE_MODEL to the model or the endpoint (ep-…).",
    ),
    switches=_always(thinking=_DISABLED),
    limit="max_tokens",
)
_AZURE = Mind(
    None,
    hint="It is the address of your resource: https://NAME.openai.azure.com/openai/v1",
    also=("AZURE_OPENAI", "AZURE"),
    headers={"api-key": "{key}"},
    folotoy="AZURE_OPENAI_",
    folotoy_names={"api_base": "AZURE_OPENAI_ENDPOINT", "deployment_name": "AZURE_OPENAI_MODEL"},
    api_version="2024-10-21",
    switches=_EFFORT,
    knows_developer=True,
)

PROVIDERS: dict[str, Mind] = {
    "openai": Mind(
        "https://api.openai.com/v1",
        folotoy="OPENAI_OPENAI_",
        preferred=("gpt-6-luna", "gpt-5.6-luna", "gpt-5.6-terra"),
        switches=_EFFORT,
        knows_developer=True,
    ),
    "azure-openai": _AZURE,
    "azure": _AZURE,
    "moonshot": _MOONSHOT,
    "kimi": _MOONSHOT,
    "deepseek": Mind(
        "https://api.deepseek.com/v1",
        "deepseek-flash",
        folotoy="DEEPSEEK_",
        preferred=("deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"),
        switches=_always(thinking=_DISABLED),
        limit="max_tokens",
    ),
    "dashscope": _DASHSCOPE,
    "qwen": _DASHSCOPE,
    "zhipu": _ZHIPU,
    "glm": _ZHIPU,
    "siliconflow": Mind(
        "https://api.siliconflow.cn/v1",
        "Qwen/Qwen3-8B",
        preferred=("Qwen/Qwen3-8B", "THUDM/GLM-4-9B-0414", "Qwen/Qwen2.5-7B-Instruct"),
        switches=_DISABLE,
        limit="max_tokens",
    ),
    "ark": _ARK,
    "doubao": _ARK,
    "spark": Mind(
        "https://spark-api-open.xf-yun.com/v1",
        "lite",
        also=("SPARK", "SPARK_DESK"),
        folotoy="SPARK_DESK_",
        folotoy_names={"model": "SPARK_MODEL"},
        folotoy_pair=("SPARK_DESK_API_KEY", "SPARK_DESK_API_SECRET"),
        retired={
            "SPARK_DESK_APP_ID": "the HTTP API wants the APIPassword of the model's page at console.xfyun.cn in "
            "SPARK_DESK_KEY, or SPARK_DESK_API_KEY and SPARK_DESK_API_SECRET, and no APP_ID."
        },
        switches=((r"(?!lite|generalv3|pro-128k|max-32k|4\.0Ultra)", {"thinking": _DISABLED}),),
        limit="max_tokens",
    ),
    "qianfan": Mind(
        "https://qianfan.baidubce.com/v2",
        "ernie-4.5-turbo-32k",
        preferred=("ernie-4.5-turbo-32k", "ernie-4.5-turbo-128k"),
        folotoy="QIANFAN_",
        retired=dict.fromkeys(
            ("QIANFAN_CLIENT_ID", "QIANFAN_SECRET"),
            "the pair belongs to the first API of Qianfan, which this row does not ask; make a key "
            "(bce-v3/ALTAK-…) at console.bce.baidu.com/iam and set QIANFAN_API_KEY. The row is qianfan all the same.",
        ),
        switches=((r"(?!ernie-4\.5-turbo-\d)", {"enable_thinking": False}),),
        limit="max_tokens",
    ),
    "groq": Mind(
        "https://api.groq.com/openai/v1",
        "openai/gpt-oss-20b",
        folotoy="GROQ_",
        preferred=("openai/gpt-oss-20b", "openai/gpt-oss-120b"),
        switches=(
            (".*gpt-oss", {"reasoning_effort": "low", "include_reasoning": False}),
            (".*", {"reasoning_format": "hidden"}),
        ),
    ),
    "openrouter": Mind(
        "https://openrouter.ai/api/v1", "openrouter/auto", switches=_always(reasoning={"exclude": True})
    ),
    "gemini": Mind(
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "gemini-3.5-flash-lite",
        also=("GEMINI", "GOOGLE"),
        folotoy="GEMINI_",
        preferred=("gemini-3.5-flash-lite", "gemini-flash-lite-latest", "gemini-3.8-flash", "gemini-flash-latest"),
        switches=(
            (r"(?:models/)?gemini-(?:[\d.]+-)?pro", {"reasoning_effort": "low"}),
            (r"(?:models/)?gemini-2", {"reasoning_effort": "none"}),
            (r".*", {"reasoning_effort": "minimal"}),
        ),
    ),
    "anthropic": Mind(
        "https://api.anthropic.com/v1",
        "claude-haiku-4-5",
        folotoy="ANTHROPIC_",
        preferred=("claude-haiku-4-5", "claude-haiku-5-5"),
        switches=_always(thinking=_DISABLED),
        limit="max_tokens",
    ),
    "lingyiwanwu": Mind("https://api.lingyiwanwu.com/v1", needs_model=True, folotoy="LINGYIWANWU_", limit="max_tokens"),
    "minimax": Mind("https://api.minimaxi.com/v1", needs_model=True, folotoy="MINIMAX_", limit="max_tokens"),
    "fastgpt": Mind(
        "https://api.fastgpt.in/api/v1",
        "fastgpt",
        folotoy="FASTGPT_",
        folotoy_extra={"chatId": "FASTGPT_CHAT_ID"},
        limit="max_tokens",
    ),
    "openclaw": Mind(None, hint="It is the address of your OpenClaw gateway, with /v1 at its end."),
    "aws-bedrock": Mind(
        None,
        needs_model=True,
        hint="It is https://bedrock-runtime.REGION.amazonaws.com/openai/v1, with an API key.",
        folotoy="AWS_BEDROCK_",
        folotoy_base="https://bedrock-runtime.{AWS_BEDROCK_REGION_NAME}.amazonaws.com/openai/v1",
        retired=dict.fromkeys(
            ("AWS_BEDROCK_AWS_ACCESS_KEY_ID", "AWS_BEDROCK_AWS_SECRET_ACCESS_KEY"),
            "Bedrock's OpenAI endpoint takes an API key of Bedrock, and no signature; set AWS_BEDROCK_API_KEY.",
        ),
    ),
    "cf-workers-ai": Mind(
        None,
        needs_model=True,
        hint="It is https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1.",
        folotoy_names={"key": "CF_WORKERS_AI_API_TOKEN", "model": "CF_WORKERS_AI_MODEL_ID"},
        folotoy_base="https://api.cloudflare.com/client/v4/accounts/{CF_WORKERS_AI_ACCOUNT_ID}/ai/v1",
    ),
    "ollama": Mind(
        "http://localhost:11434/v1",
        needs_key=False,
        folotoy="OLLAMA_",
        switches=_always(reasoning_effort="none"),
        limit="max_tokens",
    ),
    "vllm": Mind("http://localhost:8000/v1", needs_key=False, switches=_TEMPLATE),
    "lmstudio": Mind("http://localhost:1234/v1", needs_key=False, limit="max_tokens"),
    "chatglm": Mind("http://localhost:8000/v1", "chatglm3-6b", needs_key=False, limit="max_tokens"),
    "llamacpp": Mind(
        None,
        needs_key=False,
        hint="e.g. http://localhost:8088/v1 (start llama-server with --port 8088: its usual 8080 is Talkbox's own)",
        switches=_TEMPLATE,
    ),
    "oneapi": Mind("http://localhost:3000/v1", also=("ONEAPI", "ONE_API")),
    "newapi": Mind("http://localhost:3000/v1", also=("NEWAPI", "NEW_API")),
}

UPSTREAMS = Rows(
    "LLM",
    "/chat/completions",
    PROVIDERS,
    Mind(None, needs_key=False),
    spellings={"chatglm3": "chatglm", "sparkdesk": "spark", "volcengine": "ark", "googlegemini": "gemini"},
)


_SAMPLING = ("top_p", "frequency_penalty", "presence_penalty")
_SWITCHES = {"true": True, "on": True, "false": False, "off": False}


def relay_options(name: str) -> RelayOptions:
    """Return what the environment says of requests to `name`, under our names and under FoloToy's."""
    prefix, provider = UPSTREAMS.prefix(name), UPSTREAMS.provider(name)
    options = read(RelayOptions, own=prefix)
    if not provider.folotoy:
        return options
    theirs = read(FoloToyRelayOptions, prefix=provider.folotoy)
    reads = theirs.read_thought_enabled
    named = {
        "max_tokens": theirs.max_tokens,
        "temperature": theirs.temperature,
        "thinking": None if reads is None else "show" if reads else "off",
    }
    sent = {name: value_of(variable) for name, variable in provider.folotoy_extra.items()}
    extra = {name: _SWITCHES.get(text.lower(), text) for name, text in sent.items() if text}
    extra |= {name: value for name in _SAMPLING if (value := getattr(theirs, name)) is not None}
    if extra:
        options = replace(options, extra=msgspec.json.encode(extra | fields_of(options.extra)).decode())
    own = {name: value for name, value in named.items() if value is not None and not value_of(prefix + name.upper())}
    return replace(options, **own)


@lru_cache(maxsize=256)
def unthinking(name: str, model: str) -> MappingProxyType[str, Any]:
    """Return the fields to send to provider `name` lest `model` think aloud."""
    switches = UPSTREAMS.provider(name).switches
    fields = (fields for pattern, fields in switches if re.match(pattern, model, re.IGNORECASE))
    return MappingProxyType(dict(next(fields, {})))
