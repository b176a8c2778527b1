"""Known upstreams: what an operator need not look up. Each value can be overridden; a row of one's own needs none."""

from chassis.rows import Provider, Rows

_MOONSHOT = Provider("https://api.moonshot.cn/v1", "moonshot-v1-8k", also=("MOONSHOT", "KIMI"))
_DASHSCOPE = Provider(
    "https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen-plus", also=("DASHSCOPE", "QWEN", "ALIYUN")
)
_ZHIPU = Provider("https://open.bigmodel.cn/api/paas/v4", "glm-4-flash", also=("ZHIPU", "ZHIPUAI", "GLM", "BIGMODEL"))
_ARK = Provider("https://ark.cn-beijing.volces.com/api/v3", needs_model=True, also=("ARK", "VOLCENGINE", "DOUBAO"))

PROVIDERS: dict[str, Provider] = {
    "openai": Provider("https://api.openai.com/v1"),
    "moonshot": _MOONSHOT,
    "kimi": _MOONSHOT,
    "deepseek": Provider("https://api.deepseek.com/v1", "deepseek-chat"),
    "dashscope": _DASHSCOPE,
    "qwen": _DASHSCOPE,
    "zhipu": _ZHIPU,
    "glm": _ZHIPU,
    "siliconflow": Provider("https://api.siliconflow.cn/v1", "Qwen/Qwen3-8B"),
    "ark": _ARK,
    "doubao": _ARK,
    "spark": Provider("https://spark-api-open.xf-yun.com/v1", "lite"),
    "qianfan": Provider("https://qianfan.baidubce.com/v2", "ernie-4.5-turbo-32k"),
    "groq": Provider("https://api.groq.com/openai/v1", "llama-3.1-8b-instant"),
    "openrouter": Provider("https://openrouter.ai/api/v1", "openrouter/auto"),
    "gemini": Provider(
        "https://generativelanguage.googleapis.com/v1beta/openai", "gemini-flash-latest", also=("GOOGLE",)
    ),
    "anthropic": Provider("https://api.anthropic.com/v1", "claude-haiku-4-5"),
    "ollama": Provider("http://localhost:11434/v1", needs_key=False),
    "vllm": Provider("http://localhost:8000/v1", needs_key=False),
    "lmstudio": Provider("http://localhost:1234/v1", needs_key=False),
    "chatglm": Provider("http://localhost:8000/v1", "chatglm3-6b", needs_key=False),
    "llamacpp": Provider(
        None,
        needs_key=False,
        hint="e.g. http://localhost:8088/v1 (start llama-server with --port 8088: its usual 8080 is Talkbox's own)",
    ),
    "oneapi": Provider("http://localhost:3000/v1", also=("ONEAPI", "ONE_API")),
    "newapi": Provider("http://localhost:3000/v1", also=("NEWAPI", "NEW_API")),
}

UPSTREAMS = Rows("LLM", "/chat/completions", PROVIDERS, Provider(None, needs_key=False))
