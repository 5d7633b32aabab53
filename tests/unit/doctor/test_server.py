"""What the doctor says of a server by what the server says of itself."""

import pytest

from worker.check import Result
from worker.doctor import server
from worker.doctor.server import Server

GB = 10**9
FILE_ALWAYS = {"appendfsync": "always", "save": "", "maxmemory-policy": "noeviction"}


def said(info=None, settings=FILE_ALWAYS, ahead_s=0.0):
    return Server(info or {}, settings, ahead_s)


@pytest.mark.parametrize(
    ("info", "result", "words"),
    [
        ({"redis_version": "6.2.0"}, Result.OK, "redis 6.2.0"),
        ({"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "9.1.2"}, Result.OK, "valkey 9.1.2"),
        ({"redis_version": "10.0.1"}, Result.OK, "redis 10.0.1"),
        ({"redis_version": "6.0.16"}, Result.FAILED, "too old"),
        ({"redis_version": "5.0"}, Result.FAILED, "too old"),
        ({"redis_version": "unstable"}, Result.WARNING, "not a version"),
    ],
)
def test_the_version_is_at_least_6_2(info, result, words):
    check = server.version(said(info))

    assert check.result is result
    assert words in check.found


@pytest.mark.parametrize(
    ("info", "settings", "result", "words"),
    [
        ({"aof_enabled": 1}, FILE_ALWAYS, Result.OK, "always"),
        ({"aof_enabled": 1}, {**FILE_ALWAYS, "appendfsync": "everysec"}, Result.WARNING, "up to a second"),
        ({"aof_enabled": 0}, {**FILE_ALWAYS, "save": "3600 1"}, Result.WARNING, "snapshots only"),
        ({"aof_enabled": 0}, FILE_ALWAYS, Result.FAILED, "loses every job"),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, FILE_ALWAYS, Result.FAILED, "last write"),
        ({"rdb_last_bgsave_status": "err"}, {**FILE_ALWAYS, "save": "60 1"}, Result.FAILED, "last write"),
        ({"aof_enabled": 1, "rdb_last_bgsave_status": "err"}, FILE_ALWAYS, Result.OK, "always"),
        ({"aof_enabled": 1}, None, Result.WARNING, "CONFIG GET is not allowed"),
        ({"aof_enabled": 0}, None, Result.WARNING, "no append-only file"),
    ],
)
def test_what_was_acknowledged_is_kept(info, settings, result, words):
    check = server.persistence(said(info, settings))

    assert check.result is result
    assert words in check.found


@pytest.mark.parametrize(
    ("info", "settings", "result"),
    [
        ({}, FILE_ALWAYS, Result.OK),
        ({"maxmemory_policy": "noeviction"}, None, Result.OK),
        ({"maxmemory_policy": "allkeys-lru"}, None, Result.FAILED),
        ({}, {"maxmemory-policy": "volatile-ttl"}, Result.FAILED),
        ({}, None, Result.WARNING),
    ],
)
def test_no_job_is_deleted_to_make_room(info, settings, result):
    assert server.eviction(said(info, settings)).result is result


@pytest.mark.parametrize(
    ("used", "limit", "result", "words"),
    [
        (1 * GB, 4 * GB, Result.OK, "75% free"),
        (int(3.5 * GB), 4 * GB, Result.WARNING, "12% free"),
        (int(3.7 * GB), 4 * GB, Result.FAILED, "nothing is admitted"),
        (5 * GB, 4 * GB, Result.FAILED, "0% free"),
        (2_500_000, 0, Result.WARNING, "2.5 MB used, no limit"),
    ],
)
def test_there_is_room_for_more(used, limit, result, words):
    check = server.memory(said({"used_memory": used, "maxmemory": limit}))

    assert check.result is result
    assert words in check.found


@pytest.mark.parametrize(
    ("info", "settings", "result"),
    [
        ({"maxclients": 10_000, "connected_clients": 100}, None, Result.OK),
        ({"connected_clients": 100}, {"maxclients": "10000"}, Result.OK),
        ({"maxclients": 100, "connected_clients": 61}, None, Result.WARNING),
        ({"maxclients": 9, "connected_clients": 1}, None, Result.FAILED),
        ({"connected_clients": 1}, None, Result.WARNING),
    ],
)
def test_there_are_connections_for_a_worker(info, settings, result):
    assert server.connections(said(info, settings)).result is result


@pytest.mark.parametrize(
    ("ahead_s", "result"),
    [
        (0.2, Result.OK),
        (-2.9, Result.OK),
        (4, Result.WARNING),
        (-60, Result.WARNING),
        (121, Result.FAILED),
        (-3600, Result.FAILED),
    ],
)
def test_the_clocks_are_in_step(ahead_s, result):
    check = server.clock(said(ahead_s=ahead_s))

    assert check.result is result
    assert ("ahead of" if ahead_s > 0 else "behind") in check.found


@pytest.mark.parametrize(("count", "result"), [(0, Result.FAILED), (1, Result.WARNING), (2, Result.OK)])
def test_under_sentinel_somebody_could_take_over(count, result):
    checks = list(server.checks(said({"connected_slaves": count}), is_under_sentinel=True))

    assert [one.result for one in checks if one.about == "replicas"] == [result]


def test_every_check_that_is_not_ok_says_what_to_do():
    full = {"redis_version": "2.8", "used_memory": 99, "maxmemory": 100, "maxclients": 5}
    worst = said(full, {"maxmemory-policy": "x"}, ahead_s=999)

    checks = list(server.checks(worst, is_under_sentinel=True))

    assert {one.result for one in checks} == {Result.FAILED}
    assert all(one.remedy for one in checks)
