"""Refusals as operators report them from gateways, resellers and vendors, in whatever letters they are written."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.errors import (
    ApiError,
    BadRequest,
    Declined,
    EngineBusy,
    EngineRefused,
    EngineUnpaid,
    EngineWithoutModel,
)
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.refusals.meaning import Circumstances, TooLong, refusal

ABOUT = Circumstances("up", "LLM_UP_", "UP_API_KEY", secrets=("sk-secret-1",))
Body = tuple[int, str, dict[str, Any]]

REPORTED: dict[type[ApiError], list[Body]] = {
    EngineBusy: [
        (429, "Too many tokens, please wait before trying again.", {}),
        (400, "Slow down.", {"__type": "ThrottlingException"}),
        (429, "Too many tokens per day, please wait before trying again.", {}),
        (429, "This operation under API version 2024-10-21 has exceeded the token rate limit. Retry later.", {}),
        (429, "Rate limit reached. Please add a payment method to your account.", {"code": "rate_limit_exceeded"}),
        (429, "You exceeded your current quota. Upgrade to a paid tier.", {"status": "RESOURCE_EXHAUSTED"}),
        (429, "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock more.", {"code": 429}),
        (
            429,
            "You exceeded your current quota, please check your plan and billing details. For details, see: "
            "https://help.aliyun.com/zh/model-studio/error-code#token-limit",
            {"type": "insufficient_quota", "code": "insufficient_quota"},
        ),
        (429, "Allocated quota exceeded. See https://help.aliyun.com/zh/model-studio/error-code#token-limit", {}),
        (200, "用户流量受限：服务正在处理用户当前的问题", {"code": 10007}),
        (400, "当前使用人数过多，请稍后重试", {}),
        (400, "該模型當前訪問量過大，請您稍後再試", {}),
    ],
    EngineUnpaid: [
        (429, "You exceeded your current quota, please check your plan.", {"code": "insufficient_quota"}),
        (403, "token quota is not enough, token remain quota: ¥0.01", {"type": "new_api_error"}),
        (400, "Budget has been exceeded! Current cost: 10.2, Max budget: 10.0", {"type": "budget_exceeded"}),
        (429, "ExceededBudget: User=x over budget. Spend=11.0", {"code": "429"}),
        (403, "This method requires billing to be enabled.", {"status": "PERMISSION_DENIED"}),
        (403, "Enable it.", {"status": "PERMISSION_DENIED", "details": [{"reason": "BILLING_DISABLED"}]}),
        (429, "Your prepayment credits are depleted. See the console.", {"status": "RESOURCE_EXHAUSTED"}),
        (429, "You have reached your specified API usage limits.", {"type": "rate_limit_error"}),
        (429, "Free allocated quota exceeded.", {"code": "Throttling.AllocationQuota"}),
        (403, "Paid models are not supported for unpaid users", {"code": 30011}),
        (403, "Key limit exceeded (total limit).", {"code": 403}),
        (403, "帳戶餘額不足，請儲值", {}),
        (400, "今日免费次数已用完", {}),
    ],
    EngineWithoutModel: [
        (401, "Team not allowed to access model. Team=t, Model=m.", {"code": "401"}),
        (401, "This key can only access models=['a'].", {"code": "401"}),
        (400, "* GenerateContentRequest.model: unexpected model name format", {"status": "INVALID_ARGUMENT"}),
        (400, "url error, please check url！", {"code": "InvalidParameter"}),
        (400, "The requested model m has reached its end of service", {"code": "ModelEOS"}),
        (403, "The model `m` is blocked at the project level.", {"code": "model_permission_blocked_project"}),
        (400, "The model `m` requires terms acceptance.", {"code": "model_terms_required"}),
        (400, "模型 m 价格未配置，请联系管理员设置", {"code": "model_price_error"}),
        (400, "模型不存在，請檢查", {}),
        (400, "Missing required parameter 'api-version'.", {}),
    ],
    EngineRefused: [
        (400, "Your access was terminated, please check your email.", {"code": "account_deactivated"}),
        (403, "Your IP address is not authorized.", {"code": "ip_not_authorized"}),
        (400, "您所在的地区不支持使用该服务", {}),
        (400, "未实名认证的用户无法使用该服务", {}),
        (400, "签名验证失败", {}),
        (400, "金鑰無效", {}),
    ],
    TooLong: [
        (400, "The input token count is 40000 but the model only supports up to 32768. Reduce it.", {"code": 400}),
        (400, "Total message size exceeds limit", {"code": "invalid_parameter_error"}),
        (400, "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.", {"code": 400}),
        (400, "This model's maximum context length is 4096 tokens.", {"param": "input_tokens", "code": 400}),
        (429, "Request too large for m on tokens per min (TPM): Limit 30000", {"code": "rate_limit_exceeded"}),
        (400, "Le message dépasse la longueur maximale du contexte", {}),
        (400, "El mensaje supera el límite de contexto del modelo", {}),
        (400, "A mensagem excede o limite de contexto do modelo", {}),
        (400, "Die Nachricht überschreitet die maximale Kontextlänge", {}),
        (400, "入力トークン数がモデルのコンテキスト長の上限を超えています", {}),
        (400, "입력이 모델의 최대 컨텍스트 길이를 초과했습니다", {}),
        (400, "輸入內容超過模型的上下文長度限制", {}),
        (400, "对话轮数过多，请清空历史后重试", {}),
        (400, "请求的 tokens 总数大于模型最大长度 8192", {}),
    ],
    BadRequest: [
        (400, "抱歉，您的提问触发了内容安全策略", {}),
        (400, "內容包含敏感詞，已被過濾", {}),
    ],
}
CASES = [(kind, case) for kind, cases in REPORTED.items() for case in cases]


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[case[1] for _, case in CASES])
def test_it_is_read_for_what_it_is(kind: type[ApiError], case: Body) -> None:
    status, message, more = case
    body = json.dumps({"error": {"message": message, **more}}, ensure_ascii=False).encode()

    failure = refusal(status, Complaint.of_refusal(body), about=ABOUT)

    assert type(failure) is kind, failure
    assert (failure.body["code"] == "content_filter") is (kind is BadRequest)


def _written() -> Iterator[tuple[str, bytes]]:
    error = {"error": {"message": "账户余额不足"}}
    text = json.dumps(error, ensure_ascii=False)
    yield "GBK", text.encode("gbk")
    yield "GBK, words alone", "账户余额不足".encode("gbk")
    yield "UTF-16", text.encode("utf-16")
    yield "a byte order mark", text.encode("utf-8-sig")
    yield "a JSON string that holds JSON", json.dumps(text).encode()
    yield "an event", f"data: {text}\n\n".encode()
    yield "a guard against scripts", f")]}}'\n{text}".encode()
    yield "a comment", text.replace("{", "{ /* see the manual */", 1).encode()
    yield "Python's own way", str(error).encode()
    yield "line ends inside a string", text.replace("账户", "账户\n").encode()


WRITTEN = dict(_written())


@pytest.mark.parametrize("way", WRITTEN)
def test_it_is_read_however_it_is_written(way: str) -> None:
    assert type(refusal(400, Complaint.of_refusal(WRITTEN[way]), about=ABOUT)) is EngineUnpaid


@pytest.mark.parametrize("body", [b"<html>400</html>", b"\xff\xfe\xfd", b"{" * 10_000, b'{"error"', b"[]", b'"'])
def test_what_says_nothing_is_nobodys_mistake(body: bytes) -> None:
    assert type(refusal(400, Complaint.of_refusal(body), about=ABOUT)) is Declined
