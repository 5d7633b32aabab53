"""A call that this worker cannot make: handed back uncounted, and nobody's account is suspended for it."""

import pytest

from config import retries
from config.accounts import Environment
from config.settings import Settings
from tests.support.requests import NORTE, SUR, sf, uuid
from worker.answer import Answer, Reaction
from worker.ledger.records import Released
from worker.retry import Policies
from worker.run import Dropped, Ended, Runner
from worker.serving import Serving

pytestmark = pytest.mark.integration

JOB = f"solucion-factible:{uuid(1)}"


class Provider:
    """An adapter that answers what it is told to."""

    def __init__(self) -> None:
        self.answer = Answer(reaction=Reaction.REJECTED, code="204")
        self.asked = 0

    def cancel(self, request, credentials) -> Answer:
        self.asked += 1
        return self.answer


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def environment() -> dict[str, str]:
    return {"NORTE_PASSWORD": "secret"}


@pytest.fixture
def runner(world, provider, environment) -> Runner:
    settings = Settings(redis_url="redis://127.0.0.1:1")
    return Runner(
        settings=settings,
        serving=Serving({"norte": NORTE}, environment),
        adapter=lambda account: provider,
        ledger=world.ledger,
        policies=Policies(retries.policies(settings, Environment.TEST)),
    )


def released(world, **fields) -> Released:
    world.enroll(NORTE, SUR)
    world.submit(sf(1, **fields))
    one: Released = world.release()[0]
    return one


def is_as_if_nothing_had_been(world, account: str) -> bool:
    record = world.record(JOB)
    counts = (record.state, record.attempts, record.calls, record.history) == ("queued", 0, 0, ())
    return counts and "suspended_at" not in world.account(account) and len(world.release()) == 1


def test_a_secret_that_is_gone_hands_the_job_back(world, runner, provider, environment):
    one = released(world)
    environment.clear()

    step = runner.run(JOB, one.token)

    assert isinstance(step, Dropped)
    assert (provider.asked, runner.serving.unserved()) == (0, {"norte"})
    assert is_as_if_nothing_had_been(world, "norte")


def test_an_account_of_another_worker_s_file_hands_the_job_back(world, runner, provider):
    one = released(world, account="sur")

    step = runner.run(JOB, one.token)

    assert isinstance(step, Dropped)
    assert provider.asked == 0
    assert is_as_if_nothing_had_been(world, "sur")


def test_a_configuration_that_lets_no_call_out_hands_the_job_back_and_sets_the_account_aside(world, runner, provider):
    one = released(world)
    provider.answer = Answer(reaction=Reaction.ACCOUNT, message="WSDL x.wsdl cannot be read", unsent=True)

    step = runner.run(JOB, one.token)

    assert isinstance(step, Dropped)
    assert runner.serving.unserved() == {"norte"}
    assert is_as_if_nothing_had_been(world, "norte")


def test_the_provider_s_own_word_suspends_the_account(world, runner, provider):
    one = released(world)
    provider.answer = Answer(reaction=Reaction.ACCOUNT, code="601", message="wrong password")

    runner.run(JOB, one.token)

    assert world.account("norte")["suspended_reason"] == "601 wrong password"
    assert runner.serving.unserved() == set()


def test_a_call_that_goes_out_ends_what_was_set_aside(world, runner, provider):
    one = released(world)
    runner.serving.set_aside("norte", "WSDL x.wsdl cannot be read")

    assert isinstance(runner.run(JOB, one.token), Ended)

    assert runner.serving.unserved() == set()
