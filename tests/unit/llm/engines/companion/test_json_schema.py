from typing import Any

import pytest

from llm.engines.companion.json_schema import Unsatisfiable, instance

STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "hi"),
        (STRING, "hi"),
        ({"type": "string", "maxLength": 1}, "h"),
        ({"type": "string", "minLength": 4}, "hi.."),
        ({"type": "string", "format": "date"}, "2000-01-01"),
        ({"type": "string", "enum": ["a", "b"]}, "a"),
        ({"enum": [1, "a"], "type": "string"}, "a"),
        ({"const": {"a": 1}}, {"a": 1}),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": -3, "multipleOf": 2}, -4),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}, 0.25),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "string"]}, "hi"),
        ({"anyOf": [{"type": "null"}, STRING]}, "hi"),
        ({"oneOf": [{"not": {}}, STRING]}, "hi"),
        ({"type": "array", "items": STRING}, ["hi"]),
        ({"type": "array", "items": STRING, "minItems": 3}, ["hi"] * 3),
        ({"type": "array", "maxItems": 0}, []),
        ({"type": "array", "prefixItems": [STRING, {"type": "integer"}]}, ["hi", 0]),
        ({"type": "object"}, {}),
        ({"properties": {"a": STRING, "b": {"type": "integer"}}, "required": ["a", "b"]}, {"a": "hi", "b": 0}),
        ({"type": "object", "required": ["a"]}, {"a": "hi"}),
        ({"properties": {"a": {"pattern": "x"}, "b": STRING}}, {"b": "hi"}),
        ({"$ref": "#/$defs/word", "$defs": {"word": STRING}}, "hi"),
        (
            {"allOf": [{"properties": {"a": STRING}}, {"properties": {"b": STRING}, "required": ["b"]}]},
            {"a": "hi", "b": "hi"},
        ),
        (
            {
                "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
                "properties": {"list": {"$ref": "#/$defs/node"}},
            },
            {"list": {"next": {}}},
        ),
    ],
)
def test_a_simple_schema_gets_an_instance(schema: dict[str, Any], value: Any) -> None:
    assert instance(schema, "hi") == value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^a+$"},
        {"type": "string", "minLength": 3, "maxLength": 2},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "integer", "minimum": "three"},
        {"type": "number", "multipleOf": 0},
        {"type": "array", "items": STRING, "minItems": 2, "uniqueItems": True},
        {"type": "array", "minItems": 10**9},
        {"enum": []},
        {"type": "weird"},
        {"not": {}},
        {"$ref": "#/$defs/none"},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#"},
        {"anyOf": []},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"required": ["a"], "additionalProperties": False},
        {"required": ["a"], "properties": {"a": False}},
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"properties": 5},
        {"type": "object", "required": ["a", "b"], "maxProperties": 1},
    ],
)
def test_what_cannot_be_satisfied_says_why(schema: dict[str, Any]) -> None:
    with pytest.raises(Unsatisfiable, match=r"\w+"):
        instance(schema, "hi")


def test_a_schema_that_grows_without_end_is_given_up() -> None:
    branches = {f"p{number}": {"$ref": "#"} for number in range(20)}

    with pytest.raises(Unsatisfiable):
        instance({"properties": branches, "required": list(branches)}, "hi")
