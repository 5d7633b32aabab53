<?php

// The connection, and the names in it: from ANULA_REDIS_URL, ANULA_NAMESPACE and ANULA_REDIS_CA_FILE.

declare(strict_types=1);

define('NAME_SPACE', getenv('ANULA_NAMESPACE') ?: 'anula');
const REQUESTS = NAME_SPACE . ':requests';
const OUTCOMES = NAME_SPACE . ':outcomes';

/**
 * A connected client for redis:// and rediss://. A reply that takes longer than 10 seconds counts as lost.
 *
 * @throws RedisException Redis is away, or refuses the login
 */
function connected(): Redis
{
    $url = parse_url(getenv('ANULA_REDIS_URL') ?: 'redis://127.0.0.1:6379/0');
    $scheme = $url['scheme'] ?? '';
    if (!in_array($scheme, ['redis', 'rediss'], true) || !isset($url['host'])) {
        throw new InvalidArgumentException('ANULA_REDIS_URL must be redis://HOST:PORT/DB or rediss://HOST:PORT/DB');
    }
    $caFile = getenv('ANULA_REDIS_CA_FILE');
    $context = $scheme === 'rediss' && $caFile ? ['stream' => ['cafile' => $caFile]] : [];
    $host = ($scheme === 'rediss' ? 'tls://' : '') . $url['host'];
    $redis = new Redis();
    // As an exception, which says more than the warning that comes with it
    @$redis->connect($host, $url['port'] ?? 6379, 5.0, null, 0, 10.0, $context)
        ?: throw new RedisException('no connection');
    $redis->setOption(Redis::OPT_TCP_KEEPALIVE, 1);
    if (isset($url['pass'])) {
        $login = array_map('rawurldecode', array_filter([$url['user'] ?? '', $url['pass']], 'strlen'));
        $redis->auth(array_values($login));
    }
    $database = (int) trim($url['path'] ?? '', '/');
    if ($database !== 0) {
        answer($redis, $redis->select($database));
    }
    return $redis;
}

/**
 * A reply. phpredis gives false for some errors, and tells them beside it.
 *
 * @throws DomainException Redis has refused the command
 */
function answer(Redis $redis, mixed $reply): mixed
{
    $error = $redis->getLastError();
    if ($error !== null) {
        $redis->clearLastError();
        throw new DomainException($error);
    }
    return $reply;
}

/** Whether Redis has answered, so that repeating is no use; else it is away, refuses for now, or the reply was lost. */
function isRefusal(Throwable $problem): bool
{
    return !isRefusedForNow($problem)
        && (!$problem instanceof RedisException
            || preg_match('/^(ERR|NOAUTH|NOGROUP|NOPERM|OOM|WRONGPASS|WRONGTYPE)\b/', $problem->getMessage()) === 1);
}

/** Whether Redis refuses for now: a failover, a restart, a full disk. */
function isRefusedForNow(Throwable $problem): bool
{
    $words = 'BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|OOM|READONLY|TRYAGAIN|UNBLOCKED|ERR max number of clients';
    return ($problem instanceof RedisException || $problem instanceof DomainException)
        && preg_match("/^($words)\b/", $problem->getMessage()) === 1;
}

/** As above; also a login or a right that an operator is changing, and a group that is gone, which is made anew. */
function isWaitedFor(Throwable $problem): bool
{
    return isRefusedForNow($problem)
        || !isRefusal($problem)
        || (($problem instanceof RedisException || $problem instanceof DomainException)
            && preg_match('/^(NOAUTH|NOGROUP|NOPERM|WRONGPASS)\b/', $problem->getMessage()) === 1);
}
