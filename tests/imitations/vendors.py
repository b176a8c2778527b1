"""Refusals as vendors make them: status, headers and body; and which fields each of them refuses.

The bodies are those of public documentation and public bug reports; the sources are named in
`chassis/upstream/refusals/sayings.py`.
"""

import json
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from imitations.upstream import Manner

Meaning = Literal["blocked", "too long", "unpaid", "no model", "refused", "busy", "failed", "cannot"]


class Refusal(NamedTuple):
    """One vendor's way to say one thing."""

    vendor: str
    meaning: Meaning
    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def manner(self) -> Manner:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body, ensure_ascii=False).encode()
        media_type = "application/json" if body[:1] in b"{[" else "text/html"
        return Manner(status=self.status, body=body, headers=self.headers, media_type=media_type)

    @property
    def in_a_stream(self) -> Manner:
        """The same as the first event of a stream that began with 200."""
        data = json.dumps(self.body, ensure_ascii=False).encode()
        return Manner(body=b"data: " + data + b"\n\n", media_type="text/event-stream")


def _error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


def _google(code: int, status: str, message: str, **detail: Any) -> list[Any]:
    details = {"details": [{"@type": "type.googleapis.com/google.rpc", **detail}]} if detail else {}
    return [{"error": {"code": code, "message": message, "status": status, **details}}]


def _minimax(code: int, message: str) -> dict[str, Any]:
    return {"id": "1", "choices": None, "base_resp": {"status_code": code, "status_msg": message}}


_CONTEXT = (
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
    "Please reduce the length of the messages."
)

REFUSALS = (
    # OpenAI
    Refusal("openai", "refused", 401, _error("Incorrect API key provided: sk-abc***.", code="invalid_api_key")),
    Refusal("openai", "refused", 403, _error("Country, region, or territory not supported", code="region")),
    Refusal("openai", "unpaid", 429, _error("You exceeded your current quota", code="insufficient_quota")),
    Refusal("openai", "busy", 429, _error("Rate limit reached. Try again in 7.66s.", code="rate_limit_exceeded")),
    Refusal("openai", "no model", 404, _error("The model `m` does not exist", code="model_not_found")),
    Refusal("openai", "too long", 400, _error(_CONTEXT, code="context_length_exceeded", param="messages")),
    Refusal("openai", "blocked", 400, _error("It may violate our usage policy.", code="invalid_prompt")),
    Refusal("openai", "failed", 503, _error("The engine is currently overloaded", type="server_error")),
    # Azure
    Refusal("azure", "refused", 401, _error("Access denied due to invalid subscription key", code="401")),
    Refusal("azure", "no model", 404, _error("The API deployment does not exist.", code="DeploymentNotFound")),
    Refusal("azure", "no model", 400, _error("The operation is unsupported.", code="OperationNotSupported")),
    Refusal("azure", "busy", 429, _error("You have exceeded call rate limit", code="429"), (("retry-after", "9"),)),
    Refusal(
        "azure",
        "blocked",
        400,
        _error("Filtered.", code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}),
    ),
    # Google
    Refusal(
        "gemini",
        "refused",
        400,
        _google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", reason="API_KEY_INVALID"),
    ),
    Refusal("gemini", "refused", 400, _google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.")),
    Refusal("gemini", "refused", 403, _google(403, "PERMISSION_DENIED", "Your project has been denied access.")),
    Refusal(
        "gemini", "refused", 400, _google(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")
    ),
    Refusal(
        "gemini",
        "busy",
        429,
        _google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, check your billing.", retryDelay="34s"),
    ),
    Refusal("gemini", "no model", 404, _google(404, "NOT_FOUND", "models/m is not found for API version v1main")),
    Refusal("gemini", "failed", 503, _google(503, "UNAVAILABLE", "The model is overloaded.")),
    Refusal(
        "gemini",
        "too long",
        400,
        _google(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens."),
    ),
    # Anthropic
    Refusal("anthropic", "refused", 401, {"type": "error", **_error("invalid x-api-key", type="authentication_error")}),
    Refusal(
        "anthropic",
        "unpaid",
        400,
        _error("Your credit balance is too low to access the Anthropic API.", type="invalid_request_error"),
    ),
    Refusal("anthropic", "refused", 400, _error("This organization has been disabled.", type="invalid_request_error")),
    Refusal("anthropic", "no model", 404, {"type": "error", **_error("model: m", type="not_found_error")}),
    Refusal("anthropic", "busy", 429, _error("Too fast.", type="rate_limit_error"), (("retry-after", "12"),)),
    Refusal("anthropic", "failed", 529, {"type": "error", **_error("Overloaded", type="overloaded_error")}),
    Refusal(
        "anthropic",
        "too long",
        400,
        _error("prompt is too long: 200251 tokens > 200000 maximum", type="invalid_request_error"),
    ),
    # DeepSeek
    Refusal(
        "deepseek", "refused", 401, _error("Authentication Fails, Your api key is invalid", type="authentication_error")
    ),
    Refusal("deepseek", "unpaid", 402, _error("Insufficient Balance", code="invalid_request_error")),
    Refusal("deepseek", "no model", 400, _error("Model Not Exist", code="invalid_request_error")),
    Refusal(
        "deepseek",
        "no model",
        400,
        _error("The supported API model names are deepseek-v4-pro or deepseek-v4-flash, but you passed m."),
    ),
    Refusal("deepseek", "blocked", 400, _error("Content Exists Risk", code="invalid_request_error")),
    Refusal("deepseek", "busy", 429, _error("Too many requests")),
    Refusal("deepseek", "failed", 503, b"Service is too busy"),
    # Moonshot
    Refusal("moonshot", "refused", 401, _error("Invalid Authentication", type="invalid_authentication_error")),
    Refusal("moonshot", "unpaid", 429, _error("Your account is suspended", type="exceeded_current_quota_error")),
    Refusal("moonshot", "busy", 429, _error("The engine is overloaded", type="engine_overloaded_error")),
    Refusal("moonshot", "no model", 404, _error("Not found the model m", type="resource_not_found_error")),
    Refusal("moonshot", "blocked", 400, _error("It was considered high risk", type="content_filter")),
    Refusal(
        "moonshot",
        "too long",
        400,
        _error("Invalid request: Your request exceeded model token limit: 8192", type="invalid_request_error"),
    ),
    # Zhipu
    Refusal("zhipu", "refused", 401, _error("身份验证失败。", code="1000")),
    Refusal("zhipu", "unpaid", 429, _error("您的账户已欠费，请充值后重试。", code="1113")),
    Refusal("zhipu", "busy", 429, _error("您的账户已达到速率限制", code="1302")),
    Refusal("zhipu", "no model", 400, _error("模型不存在，请检查模型代码。", code="1211")),
    Refusal("zhipu", "too long", 400, _error("Prompt 超长", code="1261")),
    Refusal("zhipu", "blocked", 400, _error("系统检测到敏感内容", code="1301") | {"contentFilter": [{"level": 1}]}),
    # DashScope
    Refusal("dashscope", "refused", 401, _error("Incorrect API key provided.", code="invalid_api_key")),
    Refusal("dashscope", "unpaid", 400, _error("Access denied, check your account.", code="Arrearage")),
    Refusal("dashscope", "unpaid", 403, _error("The free tier is over.", code="AllocationQuota.FreeTierOnly")),
    Refusal("dashscope", "no model", 404, _error("The model `m` does not exist", code="model_not_found")),
    Refusal("dashscope", "no model", 403, _error("Model access denied.", code="Model.AccessDenied")),
    Refusal("dashscope", "busy", 429, {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded."}),
    Refusal("dashscope", "blocked", 400, _error("It may be inappropriate content.", code="data_inspection_failed")),
    Refusal("dashscope", "blocked", 400, {"code": "DataInspectionFailed", "message": "Blocked."}),
    Refusal("dashscope", "too long", 400, _error("Range of input length should be [1, 300]", code="InvalidParameter")),
    # Volcengine
    Refusal("ark", "refused", 401, _error("The API key is missing or invalid.", code="AuthenticationError")),
    Refusal("ark", "unpaid", 403, _error("Your account has an overdue balance.", code="AccountOverdueError")),
    Refusal("ark", "unpaid", 429, _error("The service has been paused.", code="SetLimitExceeded")),
    Refusal("ark", "no model", 404, _error("It does not exist", code="InvalidEndpointOrModel.NotFound")),
    Refusal("ark", "no model", 404, _error("You have not activated the model", code="ModelNotOpen")),
    Refusal("ark", "busy", 429, _error("RPM exceeded.", code="RateLimitExceeded.EndpointRPMExceeded")),
    Refusal("ark", "blocked", 400, _error("It may be sensitive.", code="InputTextSensitiveContentDetected")),
    Refusal("ark", "blocked", 400, _error("It may be sensitive.", code="SensitiveContentDetected.Violence")),
    Refusal("ark", "too long", 400, _error("Total tokens exceed max message tokens.", code="InvalidParameter")),
    # Qianfan
    Refusal("qianfan", "refused", 401, _error("invalid iam token", code="invalid_iam_token")),
    Refusal("qianfan", "no model", 400, _error("No such model", code="invalid_model")),
    Refusal("qianfan", "busy", 429, _error("Too fast", code="tpm_rate_limit_exceeded")),
    Refusal("qianfan", "too long", 400, _error("Too long", code="tokens_too_long")),
    Refusal("qianfan", "blocked", 400, _error("Unsafe", code="unsafe_request")),
    Refusal("qianfan", "unpaid", 200, {"error_code": 17, "error_msg": "Open api daily request limit reached"}),
    Refusal("qianfan", "busy", 200, {"error_code": 18, "error_msg": "Open api qps request limit reached"}),
    Refusal("qianfan", "refused", 200, {"error_code": 110, "error_msg": "Access token invalid"}),
    # Groq
    Refusal("groq", "refused", 401, _error("Invalid API Key", code="invalid_api_key")),
    Refusal("groq", "no model", 400, _error("The model has been decommissioned.", code="model_decommissioned")),
    Refusal("groq", "busy", 429, _error("Please try again in 1m2.5s", code="rate_limit_exceeded")),
    Refusal(
        "groq", "too long", 413, _error("Request too large for model `m`", type="tokens", code="rate_limit_exceeded")
    ),
    # Mistral
    Refusal("mistral", "refused", 401, {"detail": "Unauthorized"}),
    Refusal("mistral", "no model", 400, {"object": "error", "message": "Invalid model: m", "type": "invalid_model"}),
    Refusal("mistral", "busy", 429, {"object": "error", "message": "Slow", "type": "rate_limited", "code": "1300"}),
    Refusal("mistral", "busy", 429, {"object": "error", "message": "Service tier capacity exceeded for this model."}),
    # MiniMax
    Refusal("minimax", "refused", 200, _minimax(1004, "login fail: Please carry the API secret key")),
    Refusal("minimax", "refused", 200, _minimax(2049, "invalid api key")),
    Refusal("minimax", "unpaid", 200, _minimax(1008, "insufficient balance")),
    Refusal("minimax", "unpaid", 500, {"type": "error", **_error("insufficient balance (1008)", type="api_error")}),
    Refusal("minimax", "busy", 200, _minimax(1002, "rate limit")),
    Refusal("minimax", "blocked", 200, _minimax(1026, "input new_sensitive")),
    Refusal("minimax", "no model", 200, _minimax(2013, "invalid params, unknown model 'm'")),
    Refusal("minimax", "too long", 400, _error("invalid params, context window exceeds limit (2013)")),
    Refusal("minimax", "failed", 200, _minimax(1000, "unknown error")),
    # SiliconFlow, Spark
    Refusal("siliconflow", "unpaid", 403, {"code": 30001, "message": "Your account balance is insufficient"}),
    Refusal("siliconflow", "no model", 400, {"code": 20012, "message": "Model does not exist."}),
    Refusal("siliconflow", "refused", 401, b'"Invalid token"'),
    Refusal("spark", "refused", 401, _error("HMAC secret key does not match", code="11200")),
    Refusal("spark", "blocked", 200, {"code": 10013, "message": "input content is sensitive", "sid": "1"}),
    Refusal("spark", "busy", 200, {"code": 11202, "message": "licc limit", "sid": "1"}),
    # Resellers
    Refusal("openrouter", "refused", 401, _error("No auth credentials found", code=401)),
    Refusal("openrouter", "unpaid", 402, _error("This request requires more credits", code=402)),
    Refusal(
        "openrouter",
        "blocked",
        403,
        _error("Your chosen model requires moderation", code=403, metadata={"reasons": ["violence"]}),
    ),
    Refusal("openrouter", "no model", 400, _error("m is not a valid model ID", code=400)),
    Refusal("openrouter", "no model", 404, _error("No endpoints found for m.", code=404)),
    Refusal(
        "openrouter",
        "refused",
        502,
        _error("Provider returned error", code=502, metadata={"raw": json.dumps(_error("Invalid API key"))}),
    ),
    Refusal("oneapi", "refused", 401, _error("无效的令牌", type="one_api_error")),
    Refusal("oneapi", "unpaid", 403, _error("用户额度不足", code="insufficient_user_quota", type="new_api_error")),
    Refusal("oneapi", "no model", 503, _error("当前分组 default 下对于模型 m 无可用渠道", type="new_api_error")),
    Refusal("oneapi", "no model", 503, _error("no available channels for model m", type="new_api_error")),
    Refusal("oneapi", "busy", 429, _error("当前分组上游负载已饱和，请稍后再试", type="new_api_error")),
    Refusal("oneapi", "blocked", 400, _error("blocked", code="sensitive_words_detected", type="new_api_error")),
    # Others, whom nothing here was written for
    Refusal("xai", "refused", 400, {"code": "invalid argument", "error": "Incorrect API key provided: xa***."}),
    Refusal("xai", "no model", 404, {"code": "not found", "error": "The model m does not exist or you lack access."}),
    Refusal("xai", "unpaid", 403, {"code": "denied", "error": "Your newly created team doesn't have any credits yet."}),
    Refusal("together", "no model", 400, _error("Unable to access model m.", code="model_not_available")),
    Refusal(
        "together",
        "too long",
        422,
        _error("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097"),
    ),
    Refusal(
        "fireworks", "no model", 404, _error("Model not found, inaccessible, and/or not deployed", code="NOT_FOUND")
    ),
    Refusal("fireworks", "unpaid", 412, _error("Account is suspended: its spending limit is reached")),
    Refusal("bedrock", "refused", 403, {"message": "The security token included in the request is invalid."}),
    Refusal("bedrock", "no model", 400, {"message": "The provided model identifier is invalid."}),
    Refusal("bedrock", "too long", 400, {"message": "Input is too long for requested model."}),
    Refusal("bedrock", "busy", 429, {"message": "Too many requests, please wait before trying again."}),
    Refusal("bedrock", "blocked", 400, {"message": "Output blocked by content filtering policy"}),
    Refusal("cohere", "refused", 401, {"message": "invalid api token"}),
    Refusal("cohere", "no model", 404, {"message": "model 'm' not found, make sure the correct model ID was used"}),
    Refusal(
        "cloudflare", "no model", 400, {"success": False, "errors": [{"code": 5007, "message": "No such model m"}]}
    ),
    Refusal(
        "cloudflare", "refused", 401, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}
    ),
    Refusal(
        "perplexity", "no model", 400, _error("Invalid model 'm'. Permitted models are listed.", type="invalid_model")
    ),
    Refusal("perplexity", "cannot", 400, _error("user and assistant roles should be alternating", code=400)),
    Refusal(
        "cerebras", "too long", 400, _error("Current length is 9000.", param="messages", code="context_length_exceeded")
    ),
    Refusal("hf", "failed", 503, {"error": "Model m is currently loading", "estimated_time": 20.0}),
    Refusal("reseller", "blocked", 400, _error("The prompt triggered Azure OpenAI's content management policy.")),
    Refusal("reseller", "blocked", 400, _error("Your request was rejected as a result of our safety system.")),
    Refusal("reseller", "blocked", 400, _error("输入内容包含敏感词")),
    Refusal("reseller", "unpaid", 400, _error("账户余额不足，请充值")),
    Refusal("reseller", "no model", 400, _error("模型 m 已下线，请使用其他模型")),
    Refusal("reseller", "refused", 400, _error("API 密钥错误")),
    Refusal("reseller", "busy", 400, _error("请求过于频繁，请稍后再试")),
    Refusal("reseller", "too long", 400, _error("输入内容过长")),
    # Servers of one's own
    Refusal("ollama", "no model", 404, {"error": "model 'm' not found, try pulling it first"}),
    Refusal("ollama", "no model", 404, _error("model 'm' not found", type="api_error")),
    Refusal("ollama", "failed", 500, _error("model requires more system memory (5.6 GiB) than is available")),
    Refusal("ollama", "cannot", 400, _error("m does not support tools", type="api_error")),
    Refusal("vllm", "no model", 404, {"object": "error", "message": "The model `m` does not exist.", "code": 404}),
    Refusal("vllm", "too long", 400, {"object": "error", "message": _CONTEXT, "type": "BadRequestError", "code": 400}),
    Refusal("vllm", "refused", 401, {"error": "Unauthorized"}),
    Refusal(
        "vllm",
        "cannot",
        400,
        _error("Conversation roles must alternate", type="BadRequestError", code=400),
    ),
    Refusal("llamacpp", "refused", 401, _error("Invalid API Key", code=401, type="authentication_error")),
    Refusal("llamacpp", "failed", 503, _error("Loading model", code=503, type="unavailable_error")),
    Refusal(
        "llamacpp",
        "too long",
        400,
        _error("the request exceeds the available context size", code=400, type="exceed_context_size_error"),
    ),
    Refusal("lmstudio", "no model", 400, {"error": "No models loaded. Please load a model."}),
    Refusal("lmstudio", "too long", 400, {"error": "the model is loaded with context length of only 4096 tokens"}),
    Refusal("proxy", "cannot", 413, b"<html>413 Request Entity Too Large</html>"),
    Refusal("proxy", "cannot", 400, b"<html>400 Bad Request</html>"),
)

Judge = Callable[[dict[str, Any]], Manner | None]
"""Looks at a request; says how to refuse it, or None."""


def _refused(status: int, body: Any) -> Manner:
    return Refusal("", "cannot", status, body).manner


def openai_that_reasons(asked: dict[str, Any]) -> Manner | None:
    """Refuse as gpt-5 does: https://community.openai.com reports the two sentences since August 2025."""
    if "max_tokens" in asked:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return _refused(400, _error(message, param="max_tokens", code="unsupported_parameter"))
    if asked.get("temperature", 1) != 1:
        message = "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value."
        return _refused(400, _error(message, param="temperature", code="unsupported_value"))
    if "top_p" in asked:
        message = "Unsupported parameter: 'top_p' is not supported with this model."
        return _refused(400, _error(message, param="top_p", code="unsupported_parameter"))
    return None


def anthropic(asked: dict[str, Any]) -> Manner | None:
    """Refuse as claude-haiku-4-5 does: di-sukharev/opencommit#520."""
    if "temperature" in asked and "top_p" in asked:
        message = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        return _refused(400, _error(message, type="invalid_request_error", code="invalid_request_error"))
    return None


def moonshot(asked: dict[str, Any]) -> Manner | None:
    """Refuse as kimi-k2.6 does: QuantumNous/new-api#5372."""
    for field, allowed in (("temperature", 1), ("top_p", 0.95), ("frequency_penalty", 0), ("presence_penalty", 0)):
        if field in asked and asked[field] != allowed:
            message = f"invalid {field}: only {allowed} is allowed for this model"
            return _refused(400, _error(message, type="invalid_request_error"))
    return None


def gemini(asked: dict[str, Any]) -> Manner | None:
    """Refuse as Gemini does: n4ze3m/page-assist#418, google-gemini/cookbook#1290."""
    if "frequency_penalty" in asked:
        message = 'Invalid JSON payload received. Unknown name "frequency_penalty": Cannot find field.'
        return _refused(400, _google(400, "INVALID_ARGUMENT", message))
    if "presence_penalty" in asked:
        return _refused(400, _google(400, "INVALID_ARGUMENT", "Penalty is not enabled for this model"))
    return None


def mistral(asked: dict[str, Any]) -> Manner | None:
    """Refuse all that is unknown, as Mistral does: eca#231, mistralai/platform-docs-public#7."""
    for field in ("max_completion_tokens", "frequency_penalty", "stream_options", "reasoning_effort", "thinking"):
        if field in asked:
            extra = {"type": "extra_forbidden", "loc": ["body", field], "msg": "Extra inputs are not permitted"}
            return _refused(422, {"object": "error", "message": {"detail": [extra]}, "type": "invalid_request_error"})
    return None


def groq(asked: dict[str, Any]) -> Manner | None:
    """Refuse what gpt-oss does not know, as Groq does."""
    if "reasoning_format" in asked:
        message = "reasoning_format is not supported with this model"
        return _refused(400, _error(message, type="invalid_request_error", param="reasoning_format"))
    return None


def deepseek(asked: dict[str, Any]) -> Manner | None:
    """Refuse roles and parts as DeepSeek does: cline/cline#247, QwenLM/qwen-code#2320."""
    for number, message in enumerate(asked["messages"]):
        where = f"Failed to deserialize the JSON body into the target type: messages[{number}]"
        if message["role"] == "developer":
            sentence = f"{where}.role: unknown variant `developer`, expected one of `system`, `user`, `assistant`"
            return _refused(422, _error(sentence, type="invalid_request_error", code="invalid_request_error"))
        if isinstance(message["content"], list):
            sentence = f"{where}: invalid type: sequence, expected a string at line 1 column 60"
            return _refused(422, _error(sentence, type="invalid_request_error", code="invalid_request_error"))
    return None


def xai(asked: dict[str, Any]) -> Manner | None:
    """Refuse in a spelling of one's own, as Grok's models that reason do."""
    for field, theirs in (("presence_penalty", "presencePenalty"), ("frequency_penalty", "frequencyPenalty")):
        if field in asked:
            body = {"code": "invalid argument", "error": f"Argument not supported on this model: {theirs}"}
            return _refused(400, body)
    return None


def zhipu(asked: dict[str, Any]) -> Manner | None:
    """Refuse `temperature` beyond its range as Zhipu does, with a code and Chinese words: docs.z.ai/api-reference."""
    if asked.get("temperature", 0.5) > 1:
        return _refused(400, _error("temperature 参数非法。请检查文档。", code="1214"))
    return None


def dashscope(asked: dict[str, Any]) -> Manner | None:
    """Refuse thinking in an answer that is not streamed, as DashScope does."""
    if not asked.get("stream") and asked.get("enable_thinking", True):
        message = "parameter.enable_thinking must be set to false for non-streaming calls"
        return _refused(400, _error(message, type="invalid_request_error", code="invalid_parameter_error"))
    return None


JUDGES: dict[str, Judge] = {
    "openai": openai_that_reasons,
    "anthropic": anthropic,
    "moonshot": moonshot,
    "kimi": moonshot,
    "gemini": gemini,
    "groq": groq,
    "deepseek": deepseek,
    "zhipu": zhipu,
    "glm": zhipu,
    "oneapi": openai_that_reasons,
    "newapi": openai_that_reasons,
}
"""What is refused by the vendor of a row; whoever is not here takes all that FoloToy sends."""
