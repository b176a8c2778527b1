"""Known upstreams: what an operator need not look up. Each value can be overridden; a row of one's own needs none.

What each wants to be asked is here too: the field that switches its thinking off is ignored by one vendor and refused
by the next, so each is sent to the one who knows it.
"""

import re
from typing import Any, Literal

from msgspec import field

from chassis.upstream.settings import Provider, Rows


class Mind(Provider, frozen=True):
    """A provider of conversations.

    Args:
        unthinking: Fields that switch its thinking off.
        knows_developer: Whether it knows that role; `system` is known to all.
        limit: What it calls the limit of tokens, where it knows one name only.
    """

    unthinking: dict[str, Any] = field(default_factory=dict)
    knows_developer: bool = False
    limit: Literal["max_tokens"] | None = None


_DISABLED = {"thinking": {"type": "disabled"}}
_DISABLE = {"enable_thinking": False}
_TEMPLATE = {"chat_template_kwargs": {"enable_thinking": False}}

_MOONSHOT = Mind(
    "https://api.moonshot.cn/v1",
    "moonshot-v1-8k",
    also=("MOONSHOT", "KIMI"),
    unthinking=_DISABLED,
    limit="max_tokens",
)
_DASHSCOPE = Mind(
    "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "qwen-plus",
    also=("DASHSCOPE", "QWEN", "ALIYUN"),
    unthinking=_DISABLE,
    limit="max_tokens",
)
_ZHIPU = Mind(
    "https://open.bigmodel.cn/api/paas/v4",
    "glm-4-flash",
    also=("ZHIPU", "ZHIPUAI", "GLM", "BIGMODEL"),
    unthinking=_DISABLED,
    limit="max_tokens",
)
_ARK = Mind(
    "https://ark.cn-beijing.volces.com/api/v3",
    needs_model=True,
    also=("ARK", "VOLCENGINE", "DOUBAO"),
    unthinking=_DISABLED,
    limit="max_tokens",
)

PROVIDERS: dict[str, Mind] = {
    "openai": Mind("https://api.openai.com/v1", knows_developer=True),
    "moonshot": _MOONSHOT,
    "kimi": _MOONSHOT,
    "deepseek": Mind("https://api.deepseek.com/v1", "deepseek-chat", unthinking=_DISABLED, limit="max_tokens"),
    "dashscope": _DASHSCOPE,
    "qwen": _DASHSCOPE,
    "zhipu": _ZHIPU,
    "glm": _ZHIPU,
    "siliconflow": Mind("https://api.siliconflow.cn/v1", "Qwen/Qwen3-8B", unthinking=_DISABLE, limit="max_tokens"),
    "ark": _ARK,
    "doubao": _ARK,
    "spark": Mind("https://spark-api-open.xf-yun.com/v1", "lite", limit="max_tokens"),
    "qianfan": Mind("https://qianfan.baidubce.com/v2", "ernie-4.5-turbo-32k", limit="max_tokens"),
    "groq": Mind("https://api.groq.com/openai/v1", "llama-3.1-8b-instant", unthinking={"reasoning_format": "hidden"}),
    "openrouter": Mind("https://openrouter.ai/api/v1", "openrouter/auto", unthinking={"reasoning": {"exclude": True}}),
    "gemini": Mind("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-flash-latest", also=("GOOGLE",)),
    "anthropic": Mind("https://api.anthropic.com/v1", "claude-haiku-4-5", limit="max_tokens"),
    "ollama": Mind(
        "http://localhost:11434/v1", needs_key=False, unthinking={"reasoning_effort": "none"}, limit="max_tokens"
    ),
    "vllm": Mind("http://localhost:8000/v1", needs_key=False, unthinking=_TEMPLATE),
    "lmstudio": Mind("http://localhost:1234/v1", needs_key=False, limit="max_tokens"),
    "chatglm": Mind("http://localhost:8000/v1", "chatglm3-6b", needs_key=False, limit="max_tokens"),
    "llamacpp": Mind(
        None,
        needs_key=False,
        hint="e.g. http://localhost:8088/v1 (start llama-server with --port 8088: its usual 8080 is Talkbox's own)",
        unthinking=_TEMPLATE,
    ),
    "oneapi": Mind("http://localhost:3000/v1", also=("ONEAPI", "ONE_API")),
    "newapi": Mind("http://localhost:3000/v1", also=("NEWAPI", "NEW_API")),
}

UPSTREAMS = Rows("LLM", "/chat/completions", PROVIDERS, Mind(None, needs_key=False))

REASONS = re.compile(r"(?:.*/)?(?:o\d|gpt-5)", re.IGNORECASE)
"""OpenAI's models that reason refuse `max_tokens`, and any `temperature` but their own."""
LEAST_EFFORT = (
    (re.compile(r"(?:.*/)?gpt-5\.", re.IGNORECASE), "none"),
    (re.compile(r"(?:.*/)?gpt-5", re.IGNORECASE), "minimal"),
    (re.compile(r"(?:.*/)?o\d", re.IGNORECASE), "low"),
)
THINKS_UNTOLD = re.compile(r"(?:.*[/:_.-])?(?:r1|qwq|thinking|reasoner)(?:$|[/:_.-])", re.IGNORECASE)
"""Models whose templates open a thought themselves, so that their answers only close it."""


def unthinking(name: str, model: str) -> dict[str, Any]:
    """What to send to provider `name` lest `model` think aloud."""
    if name == "openai":
        effort = next((effort for models, effort in LEAST_EFFORT if models.match(model)), None)
        return {"reasoning_effort": effort} if effort else {}
    return UPSTREAMS.provider(name).unthinking
