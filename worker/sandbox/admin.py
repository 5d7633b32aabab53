"""What the sandbox tells about itself and how it is set: everything under `/sandbox`. No password, no token in it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from config.accounts import ProviderName
from worker.sandbox.accounts import TOKEN_CODES, USER_CODES
from worker.sandbox.connection import MAX_REQUEST_BYTES
from worker.sandbox.documents import Plan, Rule
from worker.sandbox.exchange import State
from worker.sandbox.faults import FaultRequest
from worker.sandbox.numbers import BEHAVIOURS, provider_of

MOST_CALLS = 100_000
_Body = TypeVar("_Body", bound=BaseModel)
_ACCOUNT_CODES = frozenset({*map(str, USER_CODES), *TOKEN_CODES})


class PlanRequest(BaseModel):
    """The body of `PUT /sandbox/documents/<id>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    behaviour: str
    first_calls: Annotated[int, Field(ge=0)] | None = None
    in_process_seconds: Annotated[float, Field(ge=0)] | None = None


class RuleRequest(PlanRequest):
    """The body of `PUT /sandbox/documents`: one plan for many documents."""

    provider: ProviderName
    prefix: str = ""
    first: str = Field(default="", alias="from")
    last: str = Field(default="~", alias="to")


class AccountRequest(BaseModel):
    """The body of `PUT /sandbox/accounts/<label>`; `answer` null makes the account ordinary again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str | None


class Refused(Exception):
    """An admin request that cannot be carried out; becomes HTTP 400 or 404."""

    def __init__(self, problem: str, *, status: int = 400) -> None:
        super().__init__(problem)
        self.status = status


class Admin:
    """The endpoints, over the state that they show and change."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Every route under `/sandbox`."""
        return [
            _route("/sandbox", self.about),
            _route("/sandbox/documents", self.put_documents, "PUT"),
            _route("/sandbox/documents/{document}", self.document),
            _route("/sandbox/documents/{document}", self.put_document, "PUT"),
            _route("/sandbox/calls", self.calls),
            _route("/sandbox/accounts", self.accounts),
            _route("/sandbox/accounts/{label}", self.put_account, "PUT"),
            _route("/sandbox/faults", self.faults),
            _route("/sandbox/faults", self.switch_on, "POST"),
            _route("/sandbox/faults", self.switch_off, "DELETE"),
            _route("/sandbox/faults/{fault:int}", self.switch_off, "DELETE"),
            _route("/sandbox/reset", self.reset, "POST"),
        ]

    async def about(self, _request: Request) -> Response:
        """The settings; also good for asking whether the sandbox is up."""
        return JSONResponse({"sandbox": asdict(self._state.options), "calls": self._state.calls.total})

    async def document(self, request: Request) -> Response:
        """How often one document was asked for and whether it stands cancelled."""
        document = self._state.documents.find(request.path_params["document"].upper(), time.time())
        if document is None:
            raise Refused("no such document", status=404)
        return JSONResponse(document.as_json())

    async def put_document(self, request: Request) -> Response:
        """A document by itself, as new."""
        number = request.path_params["document"].upper()
        provider = provider_of(number)
        if provider is None:
            raise Refused("neither a UUID nor a valid access key")
        plan = _plan(await _body(request, PlanRequest), provider)
        return JSONResponse(self._state.documents.put(number, provider, plan, time.time()).as_json())

    async def put_documents(self, request: Request) -> Response:
        """One plan for all documents of a prefix or a range; those already asked for keep theirs."""
        asked = await _body(request, RuleRequest)
        plan = _plan(asked, asked.provider)
        rule = Rule(asked.provider, plan, asked.prefix.upper(), asked.first.upper(), asked.last.upper())
        self._state.documents.put_rule(rule)
        return JSONResponse({"behaviour": plan.behaviour.name})

    async def calls(self, request: Request) -> Response:
        """The record of calls from index `since` on."""
        limit = min(_number(request, "limit", 1_000), MOST_CALLS)
        return JSONResponse(self._state.calls.since(_number(request, "since", 0), limit))

    async def accounts(self, _request: Request) -> Response:
        """Wrong passwords and tokens, by user or token label."""
        return JSONResponse(self._state.accounts.as_json())

    async def put_account(self, request: Request) -> Response:
        """An account that is answered the same from now on, whatever it asks."""
        answer = (await _body(request, AccountRequest)).answer
        if answer is not None and answer not in _ACCOUNT_CODES:
            raise Refused(f"answer: one of {', '.join(sorted(_ACCOUNT_CODES))}, or null")
        self._state.accounts.set_answer(request.path_params["label"], answer)
        return JSONResponse(self._state.accounts.as_json())

    async def faults(self, _request: Request) -> Response:
        """The faults that are on."""
        return JSONResponse(self._state.faults.as_json())

    async def switch_on(self, request: Request) -> Response:
        """One more fault."""
        fault = self._state.faults.switch_on(await _body(request, FaultRequest))
        return JSONResponse(fault.as_json(), status_code=201)

    async def switch_off(self, request: Request) -> Response:
        """All faults off, or one."""
        return JSONResponse({"switched_off": self._state.faults.switch_off(request.path_params.get("fault"))})

    async def reset(self, _request: Request) -> Response:
        """Everything as at the start."""
        state = self._state
        for part in (state.documents, state.accounts, state.calls):
            part.clear()
        state.faults.switch_off()
        return JSONResponse({"reset": True})


_Endpoint = Callable[[Request], Awaitable[Response]]


def _route(path: str, endpoint: _Endpoint, method: str = "GET") -> Route:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            return JSONResponse({"errors": [str(refused)]}, status_code=refused.status)

    return Route(path, guarded, methods=[method])


async def _body(request: Request, model: type[_Body]) -> _Body:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MAX_REQUEST_BYTES:
            raise Refused("the body is too long", status=413)
    try:
        return model.model_validate_json(content)
    except ValidationError as invalid:
        problems = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in invalid.errors()]
        raise Refused("; ".join(problems)) from None


def _plan(asked: PlanRequest, provider: ProviderName) -> Plan:
    behaviour = BEHAVIOURS[provider].get(asked.behaviour)
    if behaviour is None:
        raise Refused(f"behaviour: {provider} has none of that name (docs/sandbox.md)")
    first_calls = behaviour.calls if asked.first_calls is None else asked.first_calls
    return Plan(behaviour, first_calls, asked.in_process_seconds)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 12):  # noqa: PLR2004 - more than any run has
        raise Refused(f"{name}: a whole number, 0 or more")
    return int(text)
