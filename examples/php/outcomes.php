<?php

// Outcomes, read in three ways: on from an id, as a consumer of a group, from the channel.

declare(strict_types=1);

require __DIR__ . '/connection.php';
require __DIR__ . '/outcome.php';

const USAGE = <<<'TEXT'
    usage: php outcomes.php since FILE                       on from the id in FILE, which is kept up to date
           php outcomes.php group GROUP CONSUMER [SECONDS]   share with the group; take over what another left for so long (60)
           php outcomes.php channel                          what is published from now on

    TEXT;
const PAGE = 10; // so many outcomes must be handled well within the time after which another consumer takes them over
const BLOCK_MS = 2000; // shorter than the client's own time limit for a reply
const FIRST = '0-0';

/** Every outcome after the id in the file. One that cannot be handled ends the program, which then begins with it again. */
function readSince(string $file): never
{
    $redis = connected();
    $position = is_file($file) ? trim(file_get_contents($file)) : FIRST;
    while (true) {
        $reply = answer($redis, $redis->xRead([OUTCOMES => $position], PAGE, BLOCK_MS));
        foreach ($reply[OUTCOMES] ?? [] as $id => $fields) {
            handle(decoded($fields['outcome'] ?? null));
            replace($file, $id);
            $position = $id;
        }
    }
}

/** In one step: a crash leaves the old text or the new one. */
function replace(string $file, string $text): void
{
    if (file_put_contents("$file.new", $text) === false || !rename("$file.new", $file)) {
        throw new RuntimeException("$file cannot be written");
    }
}

/** What falls to this consumer: what it was given before, then what others have left, and what is new. */
function readInGroup(string $group, string $consumer, float $takeOverAfterS): never
{
    $redis = connected();
    foundGroup($redis, $group);
    $give = fn (string $id, ?int $block) =>
        answer($redis, $redis->xReadGroup($group, $consumer, [OUTCOMES => $id], PAGE, $block))[OUTCOMES] ?? [];
    for ($position = FIRST; $page = $give($position, null); $position = array_key_last($page)) {
        handlePage($redis, $group, $page);
    }
    for ($takeOverAt = 0.0; ; ) {
        if (microtime(true) >= $takeOverAt) {
            takeOver($redis, $group, $consumer, $takeOverAfterS);
            $takeOverAt = microtime(true) + $takeOverAfterS / 2;
        }
        handlePage($redis, $group, $give('>', BLOCK_MS));
    }
}

/** A new group begins with the oldest outcome that is kept (0), so that none is left out; $ would begin now. */
function foundGroup(Redis $redis, string $group): void
{
    try {
        answer($redis, $redis->xGroup('CREATE', OUTCOMES, $group, '0', true));
    } catch (DomainException | RedisException $problem) {
        if (preg_match('/^(BUSYGROUP|NOPERM)/', $problem->getMessage()) !== 1) {
            throw $problem; // else it is there, or an operator makes the groups
        }
        $redis->clearLastError();
    }
}

/** Handles what was given to any consumer longer ago than that, and was not acknowledged. */
function takeOver(Redis $redis, string $group, string $consumer, float $idleS): void
{
    $cursor = FIRST;
    do {
        // By its name: phpredis has a method for it only from 6.0 on
        $reply = $redis->rawCommand(
            'XAUTOCLAIM', OUTCOMES, $group, $consumer, (string) (int) ($idleS * 1000), $cursor, 'COUNT', (string) PAGE
        );
        [$cursor, $entries] = answer($redis, $reply);
        $page = [];
        foreach (array_filter($entries) as [$id, $flat]) {
            $pairs = array_chunk($flat ?: [], 2);
            $page[$id] = array_column($pairs, 1, 0);
        }
        handlePage($redis, $group, $page);
    } while ($cursor !== FIRST);
}

/** Each is acknowledged once it was handled; one that could not be stays, and comes again by `takeOver`. */
function handlePage(Redis $redis, string $group, array $page): void
{
    foreach ($page as $id => $fields) {
        try {
            if ($fields) {
                handle(decoded($fields['outcome'] ?? null));
            } else {
                fwrite(STDERR, "$id was removed by age before it was handled: see `anula jobs`\n");
            }
        } catch (Throwable $problem) { // whatever is wrong with one must not hold up the next
            fwrite(STDERR, "$id is not handled yet: {$problem->getMessage()}\n");
            continue;
        }
        answer($redis, $redis->xAck(OUTCOMES, $group, [$id]));
    }
}

/** What is published while this program listens, for a screen: what comes in between two connections is missed. */
function readChannel(): void
{
    $redis = connected();
    $redis->setOption(Redis::OPT_READ_TIMEOUT, -1); // nothing may be published for long
    $redis->subscribe([OUTCOMES], fn (Redis $redis, string $channel, string $text) => handle(decoded($text)));
}

/** @throws RuntimeException|JsonException it is no outcome */
function decoded(?string $text): array
{
    $outcome = json_decode($text ?? '', true, flags: JSON_THROW_ON_ERROR);
    return is_array($outcome) && isset($outcome['status']) ? $outcome : throw new RuntimeException('no outcome');
}

$values = array_slice($argv, 2);
$read = match (true) {
    ($argv[1] ?? '') === 'since' && count($values) === 1 => fn () => readSince($values[0]),
    ($argv[1] ?? '') === 'group' && in_array(count($values), [2, 3], true) =>
        fn () => readInGroup($values[0], $values[1], (float) ($values[2] ?? 60)),
    ($argv[1] ?? '') === 'channel' && $values === [] => readChannel(...),
    default => null,
};
if ($read === null) {
    fwrite(STDERR, USAGE);
    exit(2);
}
for ($told = '', $pauseS = 0.5; ; $pauseS = min(2 * $pauseS, 5.0)) {
    $triedAt = microtime(true);
    try {
        $read(); // on a new connection, which finds the server that is the primary now
    } catch (Exception $problem) {
        if (!isWaitedFor($problem)) {
            fwrite(STDERR, "stopped: {$problem->getMessage()}\n");
            exit(1);
        }
        if (microtime(true) - $triedAt > 5.0) { // it has worked in between
            [$told, $pauseS] = ['', 0.5];
        }
        if ($told !== $problem->getMessage()) {
            $told = $problem->getMessage();
            fwrite(STDERR, "Redis does not serve, trying again: $told\n");
        }
    }
    usleep((int) ($pauseS * 1_000_000));
}
