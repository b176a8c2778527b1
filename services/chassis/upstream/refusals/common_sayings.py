"""Words that many vendors and resellers share, in English and Chinese, for whoever is yet to come.

Read together with the table in sayings.py, after it: these words are in no vendor's documentation.
"""

import re

from chassis.upstream.refusals.kinds import Kind, Saying

_MANY = "many vendors"
_PART = (
    r"(?<![-\w/])(?:audio|image|file|tool|function|param\w*|field|argument|option|value|content|role|message)s?"
    r"(?! (?:api|endpoint))(?![-\w/])"
)
"""Parts that a question may do without. A sentence about one of them is not about the model as a whole."""
_ELSEWHERE = (
    r"(?:\bonly\b|\bmust\b|\bto\b|require|\buse\b|through|\bvia\b|仅|只|请).{0,60}"
    r"(?:v1/(?!chat)\w|/(?:responses|embeddings|realtime|rerank)\b|websocket"
    r"|\b(?:responses|realtime|live|completions|embeddings?|rerank|images?|audio|speech) ?(?:api|endpoint|接口))"
)
_NO_CHAT = (
    r"(?:\bnot|n't|cannot) .{0,60}(?:chat[ /.]?completion|chat (?:model|endpoint|api|interface)|(?:support|for) chat\b)"
    r"|chat/completions .{0,20}\bnot .{0,60}\bmodel"
)

_ACCOUNT = (
    r"\b(?:account|organi[sz]ation|workspace|project|access|api[ _-]?key|ip(?: address)?)s? "
    r"(?:has been |have been |is |was |were )?(?:temporarily |permanently )?"
    r"(?:flagged|disabled|deactivated|suspended|terminated|revoked|banned|blocked|locked|restricted)"
    r"|(?:账号|账户|帐号|令牌|密钥|企业|实名|认证).{0,12}(?:违规|违反|审核|封禁|停用|禁用|冻结)"
)
_IN_REVIEW = "模型.{0,6}审核中"
ABOUT_AN_ACCOUNT = re.compile(f"{_ACCOUNT}|{_IN_REVIEW}", re.IGNORECASE)
"""Words of moderation about who asks, or about a model, and not about what is said: another engine may answer."""

COMMON_SAYINGS = (
    Saying(
        Kind.BLOCKED,
        _MANY,
        words=r"content (?:management|filter(?:ing)?) polic|(?:content|moderation) polic|safety (?:system|filter"
        r"|guardrail)|content safety"
        r"|(?:input|prompt|content|text|output)\b.{0,30}\bflagged|(?:usage|content|community) (?:guideline|polic)"
        r"|censorship|unsafe content|safety classifier|jailbreak|(?:prompt|input|request) blocked: "
        r"|(?:content|text|response|prompt|output)\b.{0,40} (?:is|was|has been) (?:blocked|filtered|censored)"
        r"|敏感|违规|违反.{0,8}(?:规|政策|法)|不合规|违法|审核|安全检测|内容安全|内容风险|不[适恰]?当信息|被过滤",
    ),
    Saying(
        Kind.TOO_LONG,
        _MANY,
        words=r"context (?:length|window|size)|exceeds? the model'?s context|\bn_ctx\b|max(?:imum)?_(?:seq_len"
        r"|num_tokens)"
        r"|longer than the (?:maximum )?model|less than \d+ tokens|only supports up to \d+|message size exceeds"
        r"|(?:prompt|input|messages?|conversation)\b.{0,40}\btoo (?:long|large)|\binputs too long"
        r"|too many (?:input )?tokens(?!.{0,20}(?:wait|per (?:minute|day|hour)))|exceed\w* .{0,40}(?:token limit"
        r"|maximum (?:allowed )?(?:input|prompt|length"
        r"|number of tokens))"
        r"|tokens \+ `?max_new_tokens`?|token capacity|messages exceed maximum|too many messages(?! (?:sent|per|in))"
        r"|\d+ tokens, more than|maximum (?:prompt|input|context) length|greater than max_seq"
        r"|(?:输入|上下文|提示词|对话|历史|轮|token).{0,12}(?:过长|过多|超长|超过|超出|超限|大于)(?!.{0,8}(?:每|分钟))",
    ),
    Saying(
        Kind.UNPAID,
        _MANY,
        words=r"(?:insufficient|not enough|out of|no|any|zero) (?:\w+ ){0,2}(?:credits?|balance|funds)\b"
        r"|credits? .{0,30}(?:exhausted|depleted|used up)|spending limit|arrears|payment required|(?:top up"
        r"|recharge) "
        r"|subscription has (?:expired|ended)|payment method|exceeded your monthly"
        r"|(?:free )?(?:trial|plan|subscription) (?:has |is )?(?:ended|expired|over|not active)|unpaid users"
        r"|billing (?:account )?.{0,20}(?:not active|inactive|disabled|closed)|requires billing|upgrade to a paid"
        r"|free (?:allocated )?(?:quota|allocation).{0,20}(?:exceeded|exhausted|used up)"
        r"|budget has been exceeded|over budget"
        r"|balance (?:is )?too low|negative balance|your plan does not|no remaining (?:tokens|credits|quota)"
        r"|(?:monthly|weekly) (?:usage |spend(?:ing)? )?limit"
        r"|(?:资源包|套餐).{0,8}(?:用尽|用完|上限|耗尽)|消费上限|余额.{0,4}0(?![.\d]*[1-9])"
        r"|quota is not enough|key limit exceeded|充值|储值|续费|套餐.{0,6}到期"
        r"|(?:免费|次数|点数|积分).{0,8}(?:用完|用尽|耗尽)"
        r"|额度.{0,6}(?:不足|用尽|耗尽|失败|已?用完)|欠费",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        _MANY,
        words=r"\bmodel(?: (?:name|id|identifier))?[ :=]{0,2}(?:[`'\"“][^`'\"”]{1,120}[`'\"”]|[\w./:@-]{1,80})?,? ?"
        r"(?:is |was |has been |does )?(?:currently |now )?(?:not (?:exist|found|supported|available|valid"
        r"|deployed|enabled|allowed)"
        r"|unavailable|unsupported|invalid|unknown|deprecated|retired|discontinued|offline|sunset|removed"
        r"|(?:reached its |at its )?end of life|no longer|enabled only for)"
        r"|(?:no such|unknown|unsupported|unable to access|(?:could not|cannot|can't) find|access to) (?:the "
        r"|this |that )?model"
        r"|unrecogni[sz]ed model|value for model\b|model is required|no deployments available"
        r"|(?:deployment|engine) [`'\"]?[\w./:@-]{1,80}[`'\"]? (?:was )?not found"
        r"|(?<!\w)[\w./:@-]{1,80} has been sunset"
        rf"|{_IN_REVIEW}|(?:找不到|未找到|无此).{{0,20}}模型|模型.{{0,20}}(?:即将下线|未开通|名称错误|没有权限)|不是有效的模型"
        r"|list of supported models|requires more system memory|not found for account|end of (?:service|support)"
        r"|(?:not allowed|no access|no permission) to (?:access |use )?(?:the |this |that )?model|only access models"
        r"|\bmodel\b.{0,80} (?:is blocked|requires terms)|unexpected model|模型.{0,20}未配置"
        r"|(?:missing|invalid|unknown|unsupported|not support) .{0,24}api[- ]version"
        r"|no endpoints available|模型.{0,20}(?:不存在|不支持|已下线|下架|停止|停用"
        r"|未找到)|无效的模型",
    ),
    Saying(
        Kind.UNKNOWN_MODEL,
        "OpenAI and resellers, of a model that chat completions do not reach: cannot be asked is as good as unknown",
        "unsupported_api_for_model",
        words=rf"^(?!.{{0,200}}{_PART}).{{0,200}}?(?:{_ELSEWHERE}|{_NO_CHAT})|not support http call",
    ),
    Saying(
        Kind.REFUSED,
        _MANY,
        words=r"api[ _-]?key.{0,30}(?:invalid|incorrect|expired|disabled|revoked|missing|required|unknown)"
        r"|(?:invalid|incorrect|wrong|expired|unknown|missing|no) (?:\w+ )?api[ _-]?(?:key|token)|unauthori[sz]ed"
        r"|authentication (?:error|fail|required)|invalid (?:access|auth\w*) token|security token"
        r"|(?:missing|invalid|no|malformed|wrong) (?:\w+ )?(?:authorization|credential)"
        r"|authorization: field required|secretid"
        r"|\b(?:jwt|token) (?:has )?expired"
        rf"|{_ACCOUNT}|白名单|signature verification|authentication token|subscription key|bearer token"
        r"|\btoken (?:is )?(?:not valid|malformed|revoked|disabled)|cannot authenticate|provide an api key"
        r"|api ?key.{0,12}(?:格式|无效|错误)|有效的 ?api|鉴权信息"
        r"|(?:令牌|token) ?(?:已|状态|无效|失效|不可用)(?!达|用)|ip ?地址"
        r"|无效的? ?(?:api|令牌|token|密钥)|密钥.{0,8}(?:无效|错误)"
        r"|(?:鉴权|认证|签名|验证).{0,4}(?:失败|错误|无效)|密钥|金钥|实名|(?:地区|区域|国家).{0,8}(?:不支持|限制|不可用)",
    ),
    Saying(
        Kind.BUSY,
        _MANY,
        words=r"rate[ _-]?limit|too many (?:concurrent )?(?:requests|connections)"
        r"|(?:concurrency|qps|rpm|tpm|concurrent requests?) limit|queue is full|at capacity|no capacity"
        r"|throttled|\bis busy\b|model is (?:still )?loading|resource_exhausted|(?:requests|rate|usage) .{0,20}abus"
        r"|(?:系统|服务|请求|人数|访问量).{0,8}(?:繁忙|过多|过大)|请求(?:过于|太)频繁|限流|qps.{0,4}超|速率限制|流量受限"
        r"|please wait .{0,20}(?:before|and try|then try)"
        r"|频率.{0,6}(?:超|过)|并发.{0,6}(?:超|过高|上限)",
    ),
)
