"""Reading the bodies of the native API: after the caller is known, in bounded time and space, in one pass.

The framework would read a body before it asks who sends it.
"""

from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from loa.api.bodies import read_json_body
from loa.api.problems import BODY_LIMIT

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, model: type[Model]) -> Model:
    """Read a body as a model. Errors: RequestValidationError, CallerError."""
    raw = await read_json_body(request.headers.raw, request.receive, BODY_LIMIT)
    try:
        return model.model_validate_json(raw)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from None


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a body that the framework does not read itself, for `openapi_extra`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
