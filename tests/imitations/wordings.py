"""Refusals of one part of a request, as vendors, gateways and local servers word them in public bug reports."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Fields = dict[str, Any]
TOYS: Fields = {"temperature": 0.7, "top_p": 0.95, "frequency_penalty": 0, "presence_penalty": 0, "max_tokens": 200}


class Part(NamedTuple):
    """A part of a request that is refused.

    Args:
        request: Fields of a request that has it.
        has: Tells whether a request has it.
        wordings: Messages of refusals, or their whole bodies.
    """

    request: Fields
    has: Callable[[Fields], bool]
    wordings: tuple[Any, ...]


def talk(*turns: tuple[str, str]) -> Fields:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def _error(message: str, **more: Any) -> Fields:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None} | more}


def _extra(*places: Any) -> list[Fields]:
    """Return what pydantic says of fields that it does not know."""
    steps = ([place] if isinstance(place, str) else place for place in places)
    return [
        {"type": "extra_forbidden", "loc": ["body", *each], "msg": "Extra inputs are not permitted"} for each in steps
    ]


def _minimax(message: str) -> Fields:
    return {"type": "error", "error": {"type": "bad_request_error", "message": f"{message} (2013)"}}


def _cerebras(message: str) -> Fields:
    kind = {"type": "invalid_request_error", "param": "validation_error", "code": "wrong_api_format"}
    return {"message": message} | kind


def _text(request: Fields) -> str:
    return json.dumps(request["messages"]).lower()


def _roles(request: Fields) -> list[str]:
    return [message["role"] for message in request["messages"]]


def _said(request: Fields) -> list[str]:
    return [role for role in _roles(request) if role != "system"]


def _form(request: Fields) -> Any:
    return (request.get("response_format") or {}).get("type")


def _functions(request: Fields) -> list[Fields]:
    return [tool["function"] for tool in request.get("tools") or ()]


def _any_message(test: Callable[[Fields], Any]) -> Callable[[Fields], bool]:
    return lambda request: any(test(message) for message in request["messages"])


def _has(*names: str) -> Callable[[Fields], bool]:
    return lambda request: any(name in request for name in names)


FUNCTION = {"name": "light", "parameters": {"type": "object", "properties": {}}}
TOOLS: Fields = {"tools": [{"type": "function", "function": FUNCTION}]}
STRICT: Fields = {"tools": [{"type": "function", "function": FUNCTION | {"strict": True}}]}
CALL = {"id": "call_abcdefghijk", "type": "function", "function": {"name": "light", "arguments": "{}"}}
CALLED: Fields = TOOLS | {
    "messages": [
        {"role": "user", "content": "Light!"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": CALL["id"], "content": "on"},
    ]
}
TALK = talk(("system", "Bear."), ("user", "a"), ("assistant", "x"), ("user", "b"))
PARTS_OF_TEXT: Fields = {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}
SCHEMA: Fields = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "s", "strict": True, "schema": {"type": "object"}},
    }
}
MANY = ("user", "seed", "store", "metadata", "service_tier", "parallel_tool_calls", "frequency_penalty")
RICH: Fields = TOYS | {
    "user": "u",
    "seed": 1,
    "store": False,
    "metadata": {"a": "b"},
    "service_tier": "auto",
    "parallel_tool_calls": True,
}
_LISTED = "; ".join(f"{name}: Extra inputs are not permitted" for name in MANY)
_TUPLES = ", ".join(
    f"{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted'}}"
    for name in MANY
)
_PYDANTIC = "".join(
    f"\n{name}\n  Extra inputs are not permitted [type=extra_forbidden, input_value=1]" for name in MANY
)


def _with_field(name: str) -> Fields:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "x", name: "t"}]
    return {"messages": [*messages, {"role": "user", "content": "b"}]}


def _unknown_in_messages(name: str) -> tuple[Any, ...]:
    return (
        f"'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property '{name}' is "
        "unsupported)]",
        f"messages.1.assistant.{name}: Extra inputs are not permitted",
        f"property '{name}' is unsupported",
        {"detail": _extra(["messages", 1, "assistant", name])},
        f"Invalid JSON payload received. Unknown name \"{name}\" at 'messages[1]': Cannot find field.",
        _cerebras(f"messages.1.assistant.{name}: property 'messages.1.assistant.{name}' is unsupported"),
    )


REFUSED: Mapping[str, Part] = {
    "JSON without the word": Part(
        {"response_format": {"type": "json_object"}},
        lambda request: _form(request) == "json_object" and "json" not in _text(request),
        (
            _error(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                param="messages",
            ),
            "<400> InternalError.Algo.InvalidParameter: 'messages' must contain the word 'json' in some form, to use "
            "'response_format' of type 'json_object'.",
            "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
            "Input messages must contain the word 'json' in some form to use 'text.format' of type json_object.",
            "To use json_object, the prompt should include the keyword JSON",
            "使用json_object模式时，提示词中必须包含json字样",
        ),
    ),
    "JSON": Part(
        {"response_format": {"type": "json_object"}},
        lambda request: _form(request) is not None,
        (
            "JSON mode is not supported for this model",
            _error("json mode is not enabled for this model", code=20024),
            "不支持JSON模式",
            "Structured output is not supported",
            "Json mode response is not supported when enable_thinking is true",
        ),
    ),
    "a schema": Part(
        SCHEMA,
        lambda request: _form(request) == "json_schema",
        (
            "This response_format type is unavailable now",
            "Input tag 'json_schema' found using 'type' does not match any of the expected tags: 'text', 'json_object'",
            "`response_format.type` should be text or json_object",
            "response_format 仅支持 text 或 json_object",
            "The specified schema produces a constraint that has too many states for serving.",
            "A schema in GenerationConfig in the request exceeds the maximum allowed nesting depth.",
            "Failed to convert schema to grammar",
            "output_config.format: Extra inputs are not permitted",
        ),
    ),
    "a strict schema": Part(
        SCHEMA,
        lambda request: _form(request) == "json_schema" and "strict" in request["response_format"]["json_schema"],
        (
            _error(
                "Invalid schema for response_format 's': In context=(), 'additionalProperties' is required to be "
                "supplied and to be false.",
                param="response_format",
            ),
        ),
    ),
    "strict tools": Part(
        STRICT,
        lambda request: any("strict" in function for function in _functions(request)),
        (
            "Unsupported parameter: tools[0].function.strict",
            _error("Unsupported", param="tools[0].function.strict"),
            "tools.0.custom.strict: Extra inputs are not permitted",
            {"object": "error", "message": {"detail": _extra(["tools", 0, "function", "strict"])}},
            [_error("Unknown name \"strict\" at 'tools[0].function': Cannot find field.", status="INVALID_ARGUMENT")],
            "Tools with mixed values for 'strict' are not allowed. Please set all tools to 'strict: true'",
            "Error in tools: additional properties are not allowed ('strict' was unexpected)",
            "不支持 strict 参数",
            _error(
                "Invalid schema for function 'light': In context=(), 'additionalProperties' is required to be supplied "
                "and to be false.",
                param="tools[0].function.parameters",
            ),
        ),
    ),
    "tools without parameters": Part(
        {"tools": [{"type": "function", "function": {"name": "now"}}]},
        lambda request: not all("parameters" in function for function in _functions(request)),
        (
            _minimax("invalid params, function parameters is empty"),
            "tools.0.function.parameters: Field required",
            "missing field `parameters`",
        ),
    ),
    "tools": Part(
        TOOLS | {"tool_choice": "auto"},
        _has("tools"),
        (
            {
                "object": "error",
                "message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
                "code": 400,
            },
            "registry.ollama.ai/library/gemma:2b does not support tools",
            "`tool calling` is not supported with this model",
            "tools param requires --jinja flag",
            'No endpoints found that support tool use. Try disabling "light".',
            "Function calling is not enabled for this model",
            "该模型不支持工具调用",
            {"detail": _extra("tools", "tool_choice")},
        ),
    ),
    "a choice of tools": Part(
        TOOLS | {"tool_choice": "auto"},
        _has("tool_choice"),
        (
            "tool_choice is not supported",
            "litellm.UnsupportedParamsError: fireworks_ai does not support parameters: ['tool_choice'], for model=m",
            _error("Unsupported parameter", param="tool_choice"),
        ),
    ),
    "a forced tool": Part(
        TOOLS | {"tool_choice": "required"},
        lambda request: request.get("tool_choice") == "required",
        (
            "Thinking mode does not support this tool_choice",
            "<400> InternalError.Algo.InvalidParameter: The tool_choice parameter does not support being set to "
            "required or object in thinking mode",
            "tool_choice 'required' is incompatible with thinking enabled",
            "unknown variant `required`, expected `none` or `auto`",
        ),
    ),
    "ids of calls": Part(
        CALLED,
        _any_message(lambda message: message.get("tool_call_id", "").startswith("call_")),
        (
            "Tool call id was call_abcdefghijk but must be a-z, A-Z, 0-9, with a length of 9.",
            "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 9",
        ),
    ),
    "a call without words": Part(
        CALLED,
        _any_message(lambda message: message["content"] is None),
        (
            "messages[1].content: Input should be a valid string",
            "Invalid value for 'content': expected a string, got null.",
            "json: cannot unmarshal null into content",
            "missing field `content`",
            "'content' is a required property - 'messages.1'",
        ),
    ),
    "turns without thoughts": Part(
        CALLED,
        _any_message(lambda message: message["role"] == "assistant" and "reasoning_content" not in message),
        (
            "The `reasoning_content` in the thinking mode must be passed back to the API.",
            {
                "code": 20015,
                "message": "thinking is enabled but reasoning_content is missing in assistant tool call message at 1",
            },
            {
                "error": {
                    "code": "400",
                    "message": "Param Incorrect",
                    "param": "The reasoning_content in the thinking mode must be passed back to the API.",
                }
            },
        ),
    ),
    "no calls of tools": Part(
        {
            "messages": [
                *TALK["messages"][:2],
                {"role": "assistant", "content": "x", "tool_calls": []},
                TALK["messages"][3],
            ]
        },
        _any_message(lambda message: message.get("tool_calls") == []),
        (
            "Invalid 'messages[2].tool_calls': empty array. Expected an array with minimum length 1.",
            "[] is too short - 'messages.2.tool_calls'",
        ),
    ),
    "a beginning of the answer": Part(
        talk(("user", "Tell."), ("assistant", "Once upon ")),
        lambda request: _roles(request)[-1] == "assistant" and request["messages"][-1]["content"].endswith(" "),
        (
            "messages: final assistant content cannot end with trailing whitespace",
            {"__type": "ValidationException", "message": "final assistant content cannot end with trailing whitespace"},
            "The final assistant message ends with whitespace",
        ),
    ),
    "an assistant at the end": Part(
        talk(("user", "Tell."), ("assistant", "Once upon ")),
        lambda request: _roles(request)[-1] == "assistant",
        (
            "Assistant response prefill is incompatible with enable_thinking.",
            "Cannot set `add_generation_prompt` to True when the last message is from the assistant.",
            "Please ensure that single turn requests end with a user role or the role field is empty.",
            "Requests ending with a model turn are not supported.",
            "最后一条消息必须是用户消息",
        ),
    ),
    "an assistant at the beginning": Part(
        talk(("assistant", "I am Bear."), ("user", "b")),
        lambda request: _said(request)[0] == "assistant",
        (
            "First content should be with role 'user', got model",
            "messages 第一条必须为 user",
            "Conversation must begin with user",
            "Please ensure that multiturn requests start with user role",
        ),
    ),
    "neighbours of one role": Part(
        talk(("user", "a"), ("user", "b")),
        lambda request: any(one == other for one, other in zip(_said(request), _said(request)[1:], strict=False)),
        (
            "deepseek-reasoner does not support successive user or assistant messages (messages[0] and messages[1])",
            "user (tool) and assistant roles must alternate in messages (question-answer format), starting with user",
            _error("the number of messages must be odd", code=336006),
            "message 数组中 user 与 assistant 必须交替出现",
            "Expected role assistant but got user",
        ),
    ),
    "a second system message": Part(
        talk(("system", "Bear."), ("system", "Short."), ("user", "b")),
        lambda request: _roles(request).count("system") > 1,
        (
            _minimax("invalid params, invalid chat setting"),
            _minimax("invalid params, chat content has invalid message role: system"),
            {"base_resp": {"status_code": 2013, "status_msg": "invalid params, invalid chat setting"}, "choices": None},
            _error("messages 参数非法。请检查文档。", code="1214"),
            _error("The messages parameter is illegal. Please check the documentation.", code="1214"),
            _error("请求格式有误", type="runtime_error", code="4003"),
        ),
    ),
    "no user": Part(
        talk(("system", "Bear.")),
        lambda request: "user" not in _roles(request),
        (
            "<400> InternalError.Algo.InvalidParameter: The input messages do not contain elements with role of user",
            "GenerateContentRequest.contents: contents is not specified",
            "No user query found in messages.",
        ),
    ),
    "a system": Part(
        talk(("system", "Bear."), ("user", "b")),
        lambda request: "system" in _roles(request),
        (
            "This model doesn't support system messages. Try again without a system message.",
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter.',
            "messages 中不能包含 system 角色",
            "The role must be one of user, assistant",
            "Please use a valid role: user, model.",
        ),
    ),
    "a developer": Part(
        talk(("developer", "Bear."), ("user", "b")),
        lambda request: "developer" in _roles(request),
        (
            "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.0.role'",
            _error("Incorrect role information", code="1214"),
            "Unexpected message role.",
        ),
    ),
    "nothing said": Part(
        talk(("user", "a"), ("assistant", " "), ("user", "b")),
        _any_message(lambda message: not message["content"].strip()),
        (
            "messages: text content blocks must contain non-whitespace text",
            "The text field in the ContentBlock object at messages.1.content.0 is blank. Add text, and try again.",
            "Unable to submit request because it must have a text parameter",
            "Assistant message must have either content or tool_calls, but not none.",
            "文本内容为空",
        ),
    ),
    "text in parts": Part(
        PARTS_OF_TEXT,
        _any_message(lambda message: isinstance(message["content"], list)),
        (
            {"code": "Client specified an invalid argument", "error": "The model expects a single `text` element."},
            "Cannot deserialize value of type `java.lang.String` from Array value (token `JsonToken.START_ARRAY`)",
            "'list' object has no attribute 'strip'",
            "不支持数组形式的content",
        ),
    ),
    "a name": Part(
        {"messages": [{"role": "user", "name": "child", "content": "b"}]},
        _any_message(lambda message: "name" in message),
        (
            "Invalid JSON payload received. Unknown name \"name\" at 'messages[0]': Cannot find field.",
            "name is not supported in messages",
            "Unrecognized key(s) in object: 'name'",
            {"object": "error", "message": _extra(["messages", 0, "user", "name"])},
        ),
    ),
    "a thought": Part(
        _with_field("reasoning_content"),
        _any_message(lambda message: "reasoning_content" in message),
        _unknown_in_messages("reasoning_content"),
    ),
    "a refusal": Part(
        _with_field("refusal"), _any_message(lambda message: "refusal" in message), _unknown_in_messages("refusal")
    ),
    "many fields": Part(
        RICH,
        _has(*MANY),
        (
            {"detail": _extra(*MANY)},
            {"object": "error", "message": {"detail": _extra(*MANY)}},
            {"object": "Error", "detail": _extra(*MANY), "message": _extra(*MANY), "code": 3001},
            {"object": "error", "message": f"[{_TUPLES}]", "type": "BadRequestError", "code": 400},
            f"{len(MANY)} validation errors for ChatCompletionRequest{_PYDANTIC}",
            _LISTED,
            "Extra inputs are not permitted",
            "Additional properties are not allowed (" + ", ".join(f"'{name}'" for name in MANY) + " were unexpected)",
            {"errors": {name: ["unknown"] for name in MANY}},
            "unrecognized_keys: " + ", ".join(MANY),
            {
                "statusCode": 400,
                "error": "Bad Request",
                "message": [f"property {name} should not exist" for name in MANY],
            },
        ),
    ),
    "parallel calls": Part(
        TOOLS | {"parallel_tool_calls": False},
        _has("parallel_tool_calls"),
        ("This model only supports single tool-calls at once!", "Disabling parallel tool use is not supported"),
    ),
    "modalities": Part(
        {"modalities": ["text"]},
        _has("modalities"),
        ("Unknown parameter: 'modalities'.", "modalities is not supported"),
    ),
    "one choice": Part(
        {"n": 1},
        _has("n"),
        ("n > 1 is not supported", "only n = 1 is supported", "Invalid parameter: n", "参数 n 不支持"),
    ),
    "ends": Part(
        {"stop": ["\n"]},
        _has("stop"),
        (
            "stop_sequences: each stop sequence must contain non-whitespace",
            "the stop parameter is not supported",
            "stop is not a valid parameter",
            "无效的参数：stop",
            _cerebras("property 'stop' is unsupported"),
        ),
    ),
    "a field of one vendor's": Part(
        {"top_k": 5},
        _has("top_k"),
        ("top_k is not a valid parameter", "Invalid parameter: top_k", "'top_k' was not recognized", "top_k 参数非法"),
    ),
}
CASES = [(name, part, number) for name, part in REFUSED.items() for number in range(len(part.wordings))]


def body_of(wording: Any) -> Any:
    """Return the body of a refusal with these words."""
    return _error(wording) if isinstance(wording, str) else wording
