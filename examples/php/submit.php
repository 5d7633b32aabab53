<?php

// One cancellation: on the request stream (way 1) or on the Celery queue (way 2).

declare(strict_types=1);

require __DIR__ . '/connection.php';

const USAGE = <<<'TEXT'
    usage: php submit.php stream|queue UUID [REFERENCE]                  a CFDI at Solución Factible
           php submit.php stream|queue CHBPE NPROT XJUST [REFERENCE]    a BP-e at NS

    TEXT;
const TRIES = 3;

/** Way 1. An `invalid-request` outcome names the key as `submission`. */
function toStream(array $request, string $submission): void
{
    $entry = ['request' => json($request), 'submission' => $submission];
    repeated(fn (Redis $redis) => $redis->xAdd(REQUESTS, '*', $entry));
}

/** Way 2, without a Celery client; the key is the task id. */
function toQueue(array $request, string $submission): void
{
    $item = json(celeryMessage($request, $submission));
    repeated(fn (Redis $redis) => $redis->lPush(NAME_SPACE, $item));
}

/** A message of Celery's protocol 2 in the envelope that it has on Redis. */
function celeryMessage(array $request, string $id): array
{
    return [
        'body' => json([[], ['request' => $request], new stdClass()]), // args, kwargs, embed: as text
        'content-type' => 'application/json',
        'content-encoding' => 'utf-8',
        'headers' => ['lang' => 'php', 'task' => 'anula.submit', 'id' => $id],
        'properties' => [
            'correlation_id' => $id,
            'delivery_mode' => 2,
            'delivery_tag' => bin2hex(random_bytes(16)),
            'delivery_info' => ['exchange' => '', 'routing_key' => NAME_SPACE],
            'priority' => 0,
        ],
    ];
}

/** A command whose reply was lost is sent again: under the same key the second one changes nothing. */
function repeated(callable $send): mixed
{
    for ($attempt = 1; ; $attempt++) {
        try {
            $redis = connected();
            return answer($redis, $send($redis));
        } catch (RedisException $problem) {
            if (isRefusal($problem) || $attempt === TRIES) {
                throw $problem;
            }
            usleep(200_000 * $attempt);
        }
    }
}

function json(mixed $value): string
{
    return json_encode($value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
}

function fromArguments(array $values): ?array
{
    $request = match (count($values)) {
        1, 2 => ['provider' => 'solucion-factible', 'uuid' => $values[0], 'reference' => $values[1] ?? null],
        3, 4 => [
            'provider' => 'ns-bpe',
            'chBPe' => $values[0],
            'nProt' => $values[1],
            'xJust' => $values[2],
            'reference' => $values[3] ?? null,
        ],
        default => null,
    };
    return $request === null ? null : array_filter($request, fn ($value) => $value !== null);
}

$send = ['stream' => toStream(...), 'queue' => toQueue(...)][$argv[1] ?? ''] ?? null;
$request = fromArguments(array_slice($argv, 2));
if ($send === null || $request === null) {
    fwrite(STDERR, USAGE);
    exit(2);
}
// In an ERP: made once for each new cancellation, and kept with the order until it was confirmed. Never the number of the
// document or the order: what a person hands in once more would be taken for a repeat.
$submission = getenv('SUBMISSION') ?: bin2hex(random_bytes(16));
try {
    $send($request, $submission);
    echo "$submission\n";
} catch (Exception $problem) {
    fwrite(STDERR, "not confirmed, hand it in again with SUBMISSION=$submission: {$problem->getMessage()}\n");
    exit(1);
}
