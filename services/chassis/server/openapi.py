"""Describe a service as an OpenAPI 3.1 document, made of its routes and of the types its bodies are parsed into."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis import VERSION
from chassis.server.auth import OPEN_PATHS, PARTLY_OPEN_PATHS

JSON = "application/json"
REFUSALS = {
    "400": "The request cannot be served; `param` names the field.",
    "401": "The key is missing or wrong.",
    "404": "The engine has no such model.",
    "413": "The body is too large.",
    "429": "No place came free in time, or the key has used up its budget; `Retry-After` says when to come back.",
    "500": "An error of our own.",
    "502": "Every engine failed.",
    "503": "No engine can be asked now.",
    "504": "Every engine was silent for too long.",
}


class Error(msgspec.Struct):
    """The body of an error, in OpenAI's shape."""

    message: str
    type: str
    param: str | None
    code: str | None


class Refusal(msgspec.Struct):
    """Body of every answer that is no success."""

    error: Error


@dataclass(frozen=True)
class Described:
    """The request that a path takes, and the answers that it gives.

    Args:
        body: Type into which the body is parsed.
        gives: Media types of its answers.
        files: Names of the files in a form; without any, the body is JSON.
    """

    body: type
    gives: tuple[str, ...] = (JSON,)
    files: tuple[str, ...] = ()


def document(title: str, routes: Iterable[Route], described: Mapping[str, Described]) -> dict[str, Any]:
    """Return the document of a service.

    Args:
        described: What the paths with a body take, by path; the others take none and give JSON.
    """
    kinds = [each.body for each in described.values()]
    refs, schemas = msgspec.json.schema_components([*kinds, Refusal], ref_template="#/components/schemas/{name}")
    bodies = dict(zip(kinds, refs, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if not route.include_in_schema:
            continue
        about = described.get(route.path)
        for method in sorted((route.methods or set()) - {"HEAD"}):
            operation = _operation(route, about, bodies, refs[-1])
            paths.setdefault(_plain(route.path), {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": _formed(schemas, described.values()),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _operation(
    route: Route, about: Described | None, bodies: Mapping[type, dict[str, Any]], refusal: dict[str, Any]
) -> dict[str, Any]:
    gives = about.gives if about else ("text/plain",) if route.path == "/metrics" else (JSON,)
    error = {JSON: {"schema": refusal}}
    operation: dict[str, Any] = {
        "operationId": _plain(route.path).strip("/").replace("/", "_").replace("{", "").replace("}", ""),
        "summary": _summary(route.endpoint),
        "responses": {"200": {"description": "An answer.", "content": {kind: {} for kind in gives}}}
        | {
            status: {"description": why, "content": error}
            for status, why in REFUSALS.items()
            if about or status < "402"
        },
    }
    if route.path in OPEN_PATHS or route.path in PARTLY_OPEN_PATHS:
        operation["security"] = [{}]
    if "{" in route.path:
        operation["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
        operation["responses"]["404"] = {"description": "There is no such model.", "content": error}
    if about:
        media_type = "multipart/form-data" if about.files else JSON
        operation["requestBody"] = {"required": True, "content": {media_type: {"schema": bodies[about.body]}}}
    return operation


def _formed(schemas: dict[str, Any], described: Iterable[Described]) -> dict[str, Any]:
    """Add the files of forms, which no type names."""
    for each in described:
        if each.files:
            form = schemas[each.body.__name__]
            form["properties"] |= {name: {"type": "string", "format": "binary"} for name in each.files}
            form["required"] = [*form.get("required", []), *each.files]
    return schemas


def _plain(path: str) -> str:
    return path.replace(":path}", "}")


def _summary(endpoint: Callable[..., Any]) -> str:
    function = endpoint.func if isinstance(endpoint, partial) else endpoint
    return (function.__doc__ or function.__name__.strip("_")).partition("\n")[0]


def route_of(title: str, routes: Sequence[Route], described: Mapping[str, Described]) -> Route:
    """Return the route that serves the document, which is made when it is first asked for."""
    made: list[bytes] = []

    async def openapi(request: Request) -> Response:
        """Describe this service as an OpenAPI 3.1 document."""
        if not made:
            made.append(msgspec.json.encode(document(title, [*routes, own], described)))
        return Response(made[0], media_type=JSON)

    own = Route("/openapi.json", openapi)
    return own
