"""How vendors say what is wrong: one table, with the source beside each line.

Decided are matters that no status tells: a wrong key that is a 400, an empty account that is a 429, a blocked prompt
that is a 403. A line's codes are compared, in lower case, with an error's code, type, status and reason; its words are
looked for in the message. Codes that several vendors number alike carry the field that holds them: `base_resp.1002` is
MiniMax's, `error_code.18` Qianfan's.
"""

import re

from chassis.upstream.refusals.common_sayings import COMMON_SAYINGS
from chassis.upstream.refusals.foreign_sayings import FOREIGN_SAYINGS
from chassis.upstream.refusals.kinds import Kind, Saying
from chassis.upstream.refusals.speech_sayings import SPEECH_SAYINGS

_MOONSHOT = "Moonshot: platform.moonshot.cn/docs/api/errors"
_ZHIPU = "Zhipu: docs.z.ai/api-reference/api-code"
_DASHSCOPE = "DashScope: help.aliyun.com (model studio, error codes)"
_ARK = "Volcengine Ark: volcengine.com/docs/82379/1299023"
_QIANFAN = "Qianfan: cloud.baidu.com/doc/qianfan-api, v1 cloud.baidu.com/doc/WENXINWORKSHOP"
_SPARK = "Spark: xfyun.cn/doc/spark (error codes)"
_SILICONFLOW = "SiliconFlow: docs.siliconflow.cn (errors)"
_ANTHROPIC = "Anthropic: platform.claude.com/docs/en/api/errors"
_GEMINI = "Gemini: ai.google.dev/gemini-api/docs/troubleshooting"
_OPENROUTER = "OpenRouter: openrouter.ai/docs/api/reference/errors-and-debugging"
_NEW_API = "One-API, new-api: QuantumNous/new-api types/error.go, songquanpeng/one-api middleware/auth.go"
_COZE = "Coze: coze.cn/open/docs/developer_guides/coze_error_codes"
_OPENAI = "OpenAI: platform.openai.com/docs/guides/error-codes"

_SAYINGS = (
    # Moderation
    Saying(
        Kind.BLOCKED,
        "OpenAI and Azure: platform.openai.com/docs/guides/error-codes, learn.microsoft.com content-filter",
        "content_filter content_policy_violation responsibleaipolicyviolation moderation_blocked invalid_prompt",
        r"violat\w* (?:our|the|openai's) (?:\w+ )?(?:usage|content) polic",
    ),
    Saying(Kind.BLOCKED, "DeepSeek, a 400, as widely reported", words="content exists risk"),
    Saying(Kind.BLOCKED, _MOONSHOT, words="considered high risk"),
    Saying(Kind.BLOCKED, _ZHIPU, "1301 sensitive"),
    Saying(
        Kind.BLOCKED,
        _DASHSCOPE,
        "datainspectionfailed data_inspection_failed faqruleblocked",
        "may contain inappropriate content",
    ),
    Saying(
        Kind.BLOCKED,
        _ARK,
        "sensitivecontentdetected inputtextsensitivecontentdetected outputtextsensitivecontentdetected "
        "inputimagesensitivecontentdetected",
    ),
    Saying(Kind.BLOCKED, _QIANFAN, "unsafe_request error_code.336104"),
    Saying(Kind.BLOCKED, "MiniMax: platform.minimaxi.com/document/error-codes", "base_resp.1026 base_resp.1027"),
    Saying(Kind.BLOCKED, _SPARK, "10013 10014 10019"),
    Saying(Kind.BLOCKED, _OPENROUTER, "metadata.flagged", "requires moderation|input was flagged"),
    Saying(Kind.BLOCKED, _NEW_API, "sensitive_words_detected prompt_blocked"),
    Saying(Kind.BLOCKED, "Gemini: ai.google.dev/gemini-api/docs/safety-settings", "prohibited_content safety"),
    Saying(Kind.BLOCKED, _COZE, "4105"),
    # The conversation is too long
    Saying(
        Kind.TOO_LONG,
        "OpenAI, vLLM, DeepSeek, OpenRouter: one sentence, copied by all",
        "context_length_exceeded string_above_max_length",
        r"maximum context length|reduce the length of the (?:messages|input|prompt)",
    ),
    Saying(Kind.TOO_LONG, _ANTHROPIC, "request_too_large", "prompt is too long|exceed context limit"),
    Saying(Kind.TOO_LONG, _GEMINI, words="input token count .{0,20}exceeds"),
    Saying(Kind.TOO_LONG, _MOONSHOT, words="exceeded model token limit"),
    Saying(Kind.TOO_LONG, _ZHIPU, "1261", "prompt 超长|prompt exceeds max length"),
    Saying(Kind.TOO_LONG, _DASHSCOPE, words="range of input length"),
    Saying(Kind.TOO_LONG, _ARK, words="exceed.{0,5} max message tokens"),
    Saying(Kind.TOO_LONG, _QIANFAN, "tokens_too_long characters_too_long error_code.336007 error_code.336103"),
    Saying(Kind.TOO_LONG, "MiniMax: MiniMax-AI/MiniMax-M2#119", words="context window exceeds limit"),
    Saying(Kind.TOO_LONG, _SPARK, "10907"),
    Saying(Kind.TOO_LONG, _SILICONFLOW, words="max_seq_len"),
    Saying(Kind.TOO_LONG, "Groq, a 413 `rate_limit_exceeded`: console.groq.com/docs/errors", words="request too large"),
    Saying(Kind.TOO_LONG, "Mistral, as widely reported", words="too large for model with"),
    Saying(
        Kind.TOO_LONG,
        "llama.cpp: tools/server/README.md",
        "exceed_context_size_error",
        "exceeds the available context size",
    ),
    Saying(
        Kind.TOO_LONG,
        "LM Studio, as widely reported",
        words="context the overflows|context length of only|context overflow",
    ),
    Saying(Kind.TOO_LONG, _COZE, "4010"),
    # The account is empty
    Saying(Kind.UNPAID, _OPENAI, "insufficient_quota billing_hard_limit_reached billing_not_active"),
    Saying(
        Kind.UNPAID,
        "LiteLLM: docs.litellm.ai/docs/proxy/users; Google: cloud.google.com/billing (BILLING_DISABLED)",
        "budget_exceeded billing_disabled",
        "exceededbudget",
    ),
    Saying(
        Kind.UNPAID,
        "Anthropic, a 400: anthropics/claude-code#4684",
        "billing_error",
        "credit balance is too low|reached your specified api usage limits",
    ),
    Saying(Kind.UNPAID, "DeepSeek: api-docs.deepseek.com/quick_start/error_codes", words="insufficient balance"),
    Saying(Kind.UNPAID, _MOONSHOT, "exceeded_current_quota_error"),
    Saying(Kind.UNPAID, _ZHIPU, "1113 1308 1309 1310", "欠费|余额不足"),
    Saying(
        Kind.UNPAID,
        _DASHSCOPE,
        "arrearage allocationquota.freetieronly accessdenied.unpurchased",
        "free tier of the model has been exhausted",
    ),
    Saying(
        Kind.UNPAID,
        _ARK,
        "accountoverdueerror operationdenied.serviceoverdue quotaexceeded setlimitexceeded",
        "overdue balance|exhausted its free",
    ),
    Saying(Kind.UNPAID, _QIANFAN, "error_code.17 error_code.19"),
    Saying(
        Kind.UNPAID,
        "MiniMax, under 200, 402, 429 and 500: MiniMax-AI/MiniMax-M2#62, modelscope/modelscope#1691",
        "base_resp.1008 base_resp.2056 insufficient_balance_error",
    ),
    Saying(Kind.UNPAID, _SPARK, "11201"),
    Saying(Kind.UNPAID, _SILICONFLOW, "30001 30011", "balance is insufficient"),
    Saying(Kind.UNPAID, _OPENROUTER, "payment_required 402", "insufficient credits|requires more credits"),
    Saying(
        Kind.UNPAID,
        _NEW_API,
        "insufficient_user_quota pre_consume_token_quota_failed",
        "额度不足|额度已用尽|account balance is insufficient",
    ),
    Saying(Kind.UNPAID, _COZE, "4008 4011 4019 4022"),
    # The model is unknown, retired, or not for this account
    Saying(
        Kind.UNKNOWN_MODEL,
        "OpenAI, Groq, DashScope, new-api: model_not_found",
        "model_not_found model_not_available",
        r"(?:the |a |this )?model .{0,80}(?:does not exist|not found|has been (?:decommissioned|deprecated|retired|shut"
        r" ?down)|is no longer (?:supported|available))",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        "Azure: learn.microsoft.com/azure/ai-foundry/openai/reference",
        "deploymentnotfound operationnotsupported",
        "api deployment for this resource does not exist",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        "Groq: console.groq.com/docs/deprecations, console.groq.com/docs/errors",
        "model_decommissioned model_terms_required model_permission_blocked_org model_permission_blocked_project",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        "DeepSeek, a 400: raycast/extensions#29730",
        words="model not exist|supported api model names are",
    ),
    Saying(Kind.UNKNOWN_MODEL, _MOONSHOT, words="not found the model"),
    Saying(Kind.UNKNOWN_MODEL, _GEMINI, words="is not supported for generatecontent|model is no longer available"),
    Saying(Kind.UNKNOWN_MODEL, _ZHIPU, "1211 1212 1221 1222 1311", "模型不存在"),
    Saying(
        Kind.UNKNOWN_MODEL,
        _DASHSCOPE,
        "modelnotfound model.accessdenied model_not_supported",
        "url error, please check",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        _ARK,
        "invalidendpointormodel.notfound invalidendpointormodel.modelidaccessdisabled modelnotopen "
        "operationdenied.servicenotopen invalidendpoint.closedendpoint unsupportedmodel modeleos",
    ),
    Saying(Kind.UNKNOWN_MODEL, "Qianfan and Mistral", "invalid_model"),
    Saying(Kind.UNKNOWN_MODEL, "MiniMax, under 2013, as widely reported", words="unknown model|invalid model"),
    Saying(Kind.UNKNOWN_MODEL, _SILICONFLOW, "20012", "model does not exist"),
    Saying(Kind.UNKNOWN_MODEL, _OPENROUTER, words="not a valid model id|no endpoints found"),
    Saying(
        Kind.UNKNOWN_MODEL,
        "One-API and new-api, a 503: QuantumNous/new-api#5966",
        "get_channel_failed model_price_error",
        "无可用渠道|no available channels? for model|无权(?:使用|访问).{0,12}模型",
    ),
    Saying(
        Kind.UNKNOWN_MODEL, "Ollama and LM Studio", words="try pulling it first|no models loaded|failed to load model"
    ),
    Saying(Kind.UNKNOWN_MODEL, _COZE, "4006 4012 4015 4021 4200"),
    # The key is refused, or whoever holds it
    Saying(
        Kind.REFUSED,
        "OpenAI, DashScope, Groq, llama.cpp",
        "invalid_api_key invalidapikey authentication_error unsupported_country_region_territory "
        "organization_restricted",
        r"(?:invalid|incorrect) api[ _-]?key|country, region, or territory not supported",
    ),
    Saying(
        Kind.REFUSED,
        "Gemini, a 400 INVALID_ARGUMENT: yym68686/uni-api#140",
        "api_key_invalid api_key_service_blocked unauthenticated permission_denied",
        "api key (?:not valid|expired|not found|was reported)|user location is not supported",
    ),
    Saying(
        Kind.REFUSED,
        _ANTHROPIC,
        "permission_error",
        "organization has been disabled|invalid (?:x-api-key|bearer token)",
    ),
    Saying(Kind.REFUSED, _MOONSHOT, "invalid_authentication_error incorrect_api_key_error permission_denied_error"),
    Saying(Kind.REFUSED, _ZHIPU, "1110 1111 1112 1120 1121 1220", "身份验证失败"),
    Saying(Kind.REFUSED, _DASHSCOPE, "accessdenied access_denied"),
    Saying(Kind.REFUSED, _ARK, "authenticationerror"),
    Saying(
        Kind.REFUSED,
        _QIANFAN,
        "invalid_iam_token error_code.6 error_code.13 error_code.14 error_code.110 error_code.111 error_code.336004",
    ),
    Saying(
        Kind.REFUSED,
        "MiniMax: MiniMax-AI/MiniMax-M2.5#18, platform.minimaxi.com/document/error-codes",
        "base_resp.1004 base_resp.2049",
        "login fail",
    ),
    Saying(Kind.REFUSED, _SPARK, "11200", "hmac secret key|appidnoauth"),
    Saying(Kind.REFUSED, _NEW_API, "channel:invalid_key", "无效的令牌|令牌.{0,12}(?:无效|过期|不可用)"),
    Saying(
        Kind.REFUSED,
        _OPENAI,
        "account_deactivated ip_not_authorized mismatched_organization missing_scope unsupported_region",
    ),
    Saying(Kind.REFUSED, _COZE, "4100 4101 700012006"),
    Saying(Kind.REFUSED, "whoever repeats the status in the body", "401 403"),
    # Too much at a time
    Saying(
        Kind.BUSY,
        "OpenAI and whoever took its codes",
        "rate_limit_exceeded rate_limit_error too_many_requests tokens requests 429",
        "rate limit(?:s)? (?:exceeded|reached)|too many requests",
    ),
    Saying(
        Kind.BUSY,
        "Bedrock: docs.aws.amazon.com/bedrock (troubleshooting API error codes)",
        "throttlingexception modelnotreadyexception",
        "too many tokens.{0,20}(?:wait|per (?:minute|day))",
    ),
    Saying(Kind.BUSY, "Gemini, per minute, although it speaks of billing", "resource_exhausted"),
    Saying(Kind.BUSY, _MOONSHOT, "rate_limit_reached_error engine_overloaded_error"),
    Saying(Kind.BUSY, _ZHIPU, "1302 1303 1304 1305 1313"),
    Saying(Kind.BUSY, _DASHSCOPE, "throttling limit_requests limit_burst_rate", "error-code#token-limit"),
    Saying(
        Kind.BUSY,
        _ARK,
        "ratelimitexceeded modelaccountrpmratelimitexceeded modelaccounttpmratelimitexceeded serveroverloaded "
        "requestbursttoofast",
    ),
    Saying(
        Kind.BUSY,
        _QIANFAN,
        "rpm_rate_limit_exceeded tpm_rate_limit_exceeded error_code.18 error_code.336501 error_code.336502",
    ),
    Saying(Kind.BUSY, "MiniMax", "base_resp.1002 base_resp.1039 base_resp.1041 base_resp.2045"),
    Saying(Kind.BUSY, _SPARK, "11202 11203 10007 10008 10110"),
    Saying(Kind.BUSY, "Mistral: cline/cline#9085, continuedev/continue#6185", "rate_limited", "capacity exceeded"),
    Saying(Kind.BUSY, _NEW_API, words="负载已饱和"),
    Saying(Kind.BUSY, "Ollama: server/sched.go", words="maximum pending requests exceeded"),
    Saying(Kind.BUSY, _COZE, "4009 4016 4020"),
)

_ALL = (*SPEECH_SAYINGS, *_SAYINGS, *COMMON_SAYINGS, *FOREIGN_SAYINGS)
CODES = {kind: frozenset(code for each in _ALL if each.kind is kind for code in each.codes.split()) for kind in Kind}
"""Codes of errors, for each kind of complaint."""
WORDS = {
    kind: re.compile("|".join(f"(?:{each.words})" for each in _ALL if each.kind is kind and each.words), re.I)
    for kind in Kind
}
"""Words in messages of errors, for each kind of complaint."""
