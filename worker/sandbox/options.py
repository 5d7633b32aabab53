"""How a sandbox is set up."""

from dataclasses import dataclass

from config.accounts import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """The settings of one sandbox.

    Attributes:
        port: 0 takes a free one.
        in_process_s: How long "in process" (211) lasts from the first request on; at the provider, 5 minutes.
        xml_later_s: After how long get/event has the XML of an `xml-later` document.
        environment: Decides the tpAmb that BP-e requests must carry: test 2, production 1.
        latency_s: How long every provider call takes at least.
        max_calls_kept: How many calls `/sandbox/calls` remembers; about 150 bytes each.
    """

    host: str = "127.0.0.1"
    port: int = 8090
    in_process_s: float = 300.0
    xml_later_s: float = 1.0
    environment: Environment = Environment.TEST
    latency_s: float = 0.0
    max_calls_kept: int = 2_000_000
