"""A value that fits a JSON schema, made without a model: for simple schemas."""

import math
from typing import Any

import msgspec

MOST_VALUES = 2000
DEEPEST = 24
OPTIONAL_DEPTH = 3
FORMATS = {
    "date": "2000-01-01",
    "time": "12:00:00Z",
    "date-time": "2000-01-01T12:00:00Z",
    "duration": "PT1M",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
BEYOND = frozenset(
    [
        "not",
        "if",
        "then",
        "else",
        "pattern",
        "patternProperties",
        "propertyNames",
        "contains",
        "dependentRequired",
        "dependentSchemas",
        "minProperties",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
    ]
)
"""Keywords whose meaning we would have to guess at."""
SIGNS = {
    "properties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minimum": "number",
    "maximum": "number",
    "minLength": "string",
    "maxLength": "string",
}
"""What a schema without a type is about."""


class Unsatisfiable(ValueError):
    """No value that we could make fits; the message says why."""


def instance(schema: dict[str, Any], text: str) -> Any:
    """A value that fits `schema`, with `text` wherever words may be.

    Raises:
        Unsatisfiable: The schema contradicts itself, or is not simple.
    """
    return _Maker(schema, text).make(schema, 0)


class _Maker:
    def __init__(self, root: dict[str, Any], text: str) -> None:
        self.root, self.text = root, text
        self.made = 0

    def make(self, schema: Any, depth: int) -> Any:
        self.made += 1
        if depth > DEEPEST or self.made > MOST_VALUES:
            raise Unsatisfiable("it is too deep or too large")
        if schema is True:
            return self.text
        if not isinstance(schema, dict):
            raise Unsatisfiable("one part of it allows nothing")
        if beyond := BEYOND & schema.keys():
            raise Unsatisfiable(f"{min(beyond)!r} needs a model")
        if "$ref" in schema:
            return self.make(_merged(self._referred(schema["$ref"]), _without(schema, "$ref")), depth + 1)
        if "allOf" in schema:
            parts = _list(schema["allOf"])
            whole = _without(schema, "allOf")
            for part in parts:
                whole = _merged(whole, self._resolved(part))
            return self.make(whole, depth + 1)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._first(_list(schema[keyword]), _without(schema, keyword), depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._listed(schema)
        return self._typed(schema, depth)

    def _referred(self, pointer: Any) -> dict[str, Any]:
        value: Any = self.root
        if not isinstance(pointer, str) or not pointer.startswith("#"):
            raise Unsatisfiable("a '$ref' points outside")
        for key in pointer.removeprefix("#").split("/")[1:]:
            key = key.replace("~1", "/").replace("~0", "~")
            if not isinstance(value, dict) or key not in value:
                raise Unsatisfiable(f"there is no {pointer!r}")
            value = value[key]
        return _dict(value)

    def _resolved(self, part: Any) -> dict[str, Any]:
        part = _dict(part)
        return _merged(self._referred(part["$ref"]), _without(part, "$ref")) if "$ref" in part else part

    def _first(self, options: list[Any], base: dict[str, Any], depth: int) -> Any:
        """The first of several that can be had; null only if nothing else can."""
        why = Unsatisfiable("it has no alternatives")
        for option in sorted(options, key=lambda option: option == {"type": "null"}):
            try:
                return self.make(_merged(base, self._resolved(option)), depth + 1)
            except Unsatisfiable as exc:
                why = exc
        raise why

    def _listed(self, schema: dict[str, Any]) -> Any:
        kinds = _kinds(schema)
        fitting = [value for value in _list(schema["enum"]) if not kinds or any(_is(value, kind) for kind in kinds)]
        if not fitting:
            raise Unsatisfiable("an 'enum' has nothing to choose from")
        return fitting[0]

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kinds = _kinds(schema) or [next((SIGNS[key] for key in schema if key in SIGNS), "string")]
        match min(kinds, key=lambda kind: kind == "null"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer":
                return _number(schema, whole=True)
            case "number":
                return _number(schema, whole=False)
            case "boolean":
                return True
            case "null":
                return None
            case kind:
                raise Unsatisfiable(f"there is no type {kind!r}")

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties, required = _dict(schema.get("properties", {})), _list(schema.get("required", []))
        others = schema.get("additionalProperties", True)
        made: dict[str, Any] = {}
        for name in dict.fromkeys([*properties, *map(str, required)]):
            if name in required:
                made[name] = self.make(properties.get(name, others), depth + 1)
            elif depth < OPTIONAL_DEPTH:
                try:
                    made[name] = self.make(properties[name], depth + 1)
                except Unsatisfiable:
                    continue  # it may be left out
        most = schema.get("maxProperties")
        if isinstance(most, int) and len(made) > most:
            made = {name: value for name, value in made.items() if name in required}
            if len(made) > most:
                raise Unsatisfiable("more is required than 'maxProperties' allows")
        return made

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        least, most = _bound(schema, "minItems", 0), _bound(schema, "maxItems", MOST_VALUES)
        if least > most or least > MOST_VALUES:
            raise Unsatisfiable("'minItems' is too large")
        firsts = _list(schema.get("prefixItems", []))[:most]
        items = [self.make(first, depth + 1) for first in firsts]
        wanted = max(least, min(1, most) if depth < OPTIONAL_DEPTH else 0)
        while len(items) < wanted:
            try:
                items.append(self.make(schema.get("items", True), depth + 1))
            except Unsatisfiable:
                if len(items) < least:
                    raise
                break
        if schema.get("uniqueItems") and len({msgspec.json.encode(item) for item in items}) < len(items):
            raise Unsatisfiable("'uniqueItems' needs a model")
        return items

    def _string(self, schema: dict[str, Any]) -> str:
        least, most = _bound(schema, "minLength", 0), _bound(schema, "maxLength", 10**5)
        text = FORMATS.get(str(schema.get("format")), self.text)
        if least > most or least > 10**5:
            raise Unsatisfiable("'minLength' is too large")
        if "format" in schema and not least <= len(text) <= most:
            raise Unsatisfiable("its 'format' does not fit its length")
        return text[:most].ljust(least, ".")


def _number(schema: dict[str, Any], *, whole: bool) -> int | float:
    """The number nearest to 0 that is allowed."""
    step = schema.get("multipleOf", 1 if whole else None)
    low = max(_limit(schema, "minimum", -math.inf), _limit(schema, "exclusiveMinimum", -math.inf))
    high = min(_limit(schema, "maximum", math.inf), _limit(schema, "exclusiveMaximum", math.inf))
    if step is not None and (not isinstance(step, int | float) or step <= 0 or (whole and step != int(step))):
        raise Unsatisfiable("its 'multipleOf' needs a model")
    candidates: list[float] = [0, low, high, low + 1, high - 1, (low + high) / 2]
    if step:
        units = [value / step for value in (low, high) if math.isfinite(value)]
        rounded = [number for unit in units for number in (math.ceil(unit), math.floor(unit))]
        candidates = [0, *(step * (unit + more) for unit in rounded for more in (0, 1, -1))]
    for value in sorted(filter(math.isfinite, candidates), key=abs):
        above = value >= low and value != schema.get("exclusiveMinimum")
        if above and value <= high and value != schema.get("exclusiveMaximum"):
            return int(value) if whole or value == int(value) else value
    raise Unsatisfiable("no number lies within its limits")


def _limit(schema: dict[str, Any], key: str, default: float) -> float:
    value = schema.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unsatisfiable(f"{key!r} must be a number")
    return value


def _bound(schema: dict[str, Any], key: str, default: int) -> int:
    value = schema.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unsatisfiable(f"{key!r} must be an integer")
    return value


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both at once, as far as that is simple."""
    merged = dict(one)
    for key, value in other.items():
        if key not in merged or merged[key] == value:
            merged[key] = value
        elif key == "properties":
            merged[key] = _merged_properties(_dict(merged[key]), _dict(value))
        elif key == "required":
            merged[key] = [*_list(merged[key]), *_list(value)]
        elif key not in ("title", "description", "default", "examples", "$comment", "$defs", "definitions"):
            raise Unsatisfiable(f"two {key!r} apply at once")
    return merged


def _merged_properties(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {name: _merged(_dict(one[name]), _dict(other[name])) for name in one.keys() & other.keys()}
    return one | other | both


def _kinds(schema: dict[str, Any]) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else [str(each) for each in _list(kind)]


def _is(value: Any, kind: str) -> bool:
    kinds: dict[str, Any] = {"string": str, "array": list, "object": dict, "boolean": bool, "null": type(None)}
    if kind in kinds:
        return isinstance(value, kinds[kind])
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and (kind == "number" or value == int(value))


def _without(schema: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unsatisfiable("a part of it is no object")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Unsatisfiable("a part of it is no list")
    return value
