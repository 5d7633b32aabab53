"""The sandbox for tests: started in a thread or as a process, and spoken to in plain HTTP."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from worker.sandbox import SandboxOptions, started
from worker.sandbox.accounts import PASSWORD, TOKEN, USER

ROOT = Path(__file__).parents[2]
SOAP_11 = ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8")
SOAP_12 = ("http://www.w3.org/2003/05/soap-envelope", 'application/soap+xml; action="urn:cancelarSectorPrimario"')
N_PROT = "143260000012345"
X_JUST = "Passageiro desistiu da viagem"
_OPERATION = "http://cancelacion.ws.cfdi.solucionfactible.com"
_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox; the methods speak to it as any client would."""

    url: str
    http: httpx.Client = field(repr=False)

    @property
    def soap_url(self) -> str:
        return f"{self.url}/ws/services/Cancelacion"

    @property
    def wsdl_url(self) -> str:
        return f"{self.soap_url}?wsdl"

    def document(self, number: str) -> Any:
        """What the sandbox knows of one document."""
        return self._json("GET", f"/sandbox/documents/{number}")

    def put(self, number: str, behaviour: str, **plan: Any) -> Any:
        """Give one document a behaviour (`first_calls`, `in_process_seconds`)."""
        return self._json("PUT", f"/sandbox/documents/{number}", {"behaviour": behaviour, **plan})

    def put_rule(self, provider: str, behaviour: str, **rule: Any) -> None:
        """Give many documents a behaviour: by `prefix`, or from `from` to `to`."""
        self._json("PUT", "/sandbox/documents", {"provider": provider, "behaviour": behaviour, **rule})

    def fault(self, fault: str, **details: Any) -> int:
        """Switch a fault on; gives its id."""
        return int(self._json("POST", "/sandbox/faults", {"fault": fault, **details})["id"])

    def end_fault(self, number: int) -> None:
        """Switch one fault off, by its id."""
        self._json("DELETE", f"/sandbox/faults/{number}")

    def no_faults(self) -> None:
        """Switch every fault off."""
        self._json("DELETE", "/sandbox/faults")

    def calls(self) -> list[dict[str, Any]]:
        """Every call that the sandbox remembers, in order."""
        calls: list[dict[str, Any]] = []
        following = 0
        while True:
            page = self._json("GET", f"/sandbox/calls?since={following}&limit=10000")
            calls += page["calls"]
            following = page["next"]
            if following >= page["total"]:
                return calls

    def accounts(self) -> Any:
        """Wrong passwords and locks, by user or token label."""
        return self._json("GET", "/sandbox/accounts")

    def set_account(self, label: str, answer: str | None) -> None:
        """From now on an account is answered so; None makes it ordinary again."""
        self._json("PUT", f"/sandbox/accounts/{label}", {"answer": answer})

    def reset(self) -> None:
        """Everything as at the start."""
        self._json("POST", "/sandbox/reset")

    def cancel_uuid(
        self, uuid: str, *, user: str = USER, password: str = PASSWORD, version: Any = SOAP_12
    ) -> httpx.Response:
        """Ask for the cancellation of a CFDI with an envelope written by hand."""
        return self.post_soap(envelope(uuid, user=user, password=password, version=version), version)

    def post_soap(self, body: str | bytes, version: Any = SOAP_12) -> httpx.Response:
        return self.http.post(self.soap_url, content=body, headers={"content-type": version[1]})

    def cancel_bpe(self, key: str, *, token: str = TOKEN, **fields: Any) -> httpx.Response:
        """Ask for the cancellation of a BP-e; a field given as None is left out."""
        return self.post_bpe("cancel", cancellation(key) | fields, token=token)

    def look_up(self, key: str, *, token: str = TOKEN, tpAmb: int = 2) -> httpx.Response:
        return self.post_bpe("status", {"chBPe": key, "tpAmb": tpAmb}, token=token)

    def download(self, key: str, *, token: str = TOKEN) -> httpx.Response:
        body = {"chBPe": key, "tpAmb": 2, "tpDown": "X", "tpEvento": "CANC", "nSeqEvento": "1"}
        return self.post_bpe("get/event", body, token=token)

    def post_bpe(self, what: str, fields: dict[str, Any], *, token: str = TOKEN) -> httpx.Response:
        body = {name: value for name, value in fields.items() if value is not None}
        return self.http.post(f"{self.url}/v1/bpe/{what}", json=body, headers={"x-auth-token": token})

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.http.request(method, self.url + path, json=body)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json()


def envelope(uuid: str | None, *, user: str = USER, password: str = PASSWORD, version: Any = SOAP_12) -> str:
    """A request as any SOAP client might write it, WS-Addressing header included."""
    number = "" if uuid is None else f"<c:uuid>{uuid}</c:uuid>"
    return (
        f'<s:Envelope xmlns:s="{version[0]}" xmlns:c="{_OPERATION}"><s:Header>'
        '<wsa:Action xmlns:wsa="http://www.w3.org/2005/08/addressing">urn:cancelarSectorPrimario</wsa:Action></s:Header>'
        f"<s:Body><c:cancelarSectorPrimario><c:usuario>{user}</c:usuario><c:password>{password}</c:password>"
        f"{number}</c:cancelarSectorPrimario></s:Body></s:Envelope>"
    )


def cancellation(key: str) -> dict[str, Any]:
    """The body of an ordinary BP-e cancellation."""
    return {"chBPe": key, "tpAmb": 2, "dhEvento": "2026-01-15T12:00:00-03:00", "nProt": N_PROT, "xJust": X_JUST}


@contextmanager
def running_sandbox(**options: Any) -> Iterator[Sandbox]:
    """A sandbox on a free port in a thread of this process (see `SandboxOptions`)."""
    with started(SandboxOptions(**{"port": 0, **options})) as url, _client() as http:
        yield Sandbox(url, http)


@contextmanager
def sandbox_process(**options: Any) -> Iterator[tuple[Sandbox, "subprocess.Popen[str]"]]:
    """A sandbox on a free port in a process of its own, for load and for tests of its end."""
    code = (
        "from worker.sandbox import SandboxOptions, serve\n"
        f"serve(SandboxOptions(**{ {'port': 0, **options}!r}), announce=lambda url: print(url, flush=True))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, "the sandbox did not start"
            with _client() as http:
                yield Sandbox(url, http), process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _client() -> httpx.Client:
    return httpx.Client(timeout=_LIMIT_S, trust_env=False)
