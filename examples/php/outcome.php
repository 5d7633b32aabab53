<?php

// What the ERP does with an outcome (docs/outcomes.md). Being given one twice does no harm: job and run name it.

declare(strict_types=1);

/**
 * Saves the evidence and does what the status asks for; here that is a line.
 *
 * @throws RuntimeException the evidence is damaged or cannot be saved, or the status is none that is known
 */
function handle(array $outcome): void
{
    $again = $outcome['replayed'] ? ' (replayed)' : '';
    $references = implode(', ', $outcome['references']);
    $name = ($outcome['job'] ?? '-') . ' run ' . ($outcome['run'] ?? '-') . " [$references]";
    echo "{$outcome['status']} ({$outcome['reason']})$again $name: ", whatToDo($outcome), "\n";
    foreach ($outcome['warnings'] as $warning) {
        echo "  warning: $warning\n";
    }
}

function whatToDo(array $outcome): string
{
    $file = $outcome['evidence'] ? saved($outcome) : null;
    $said = trim(($outcome['code'] ?? '-') . ' ' . ($outcome['message'] ?? ''));
    return match ($outcome['status']) {
        'cancelled' => 'book the cancellation; evidence: ' . ($file ?? 'none'),
        'rejected' => $outcome['reason'] === 'invalid-request' ? toCorrect($outcome) : "not cancelled: $said",
        'unresolved' => "a person has to look: $said",
        'revoked' => 'an operator has ended it',
        default => throw new RuntimeException("unknown status {$outcome['status']}"),
    };
}

function toCorrect(array $outcome): string
{
    $errors = array_map(fn (array $error) => "{$error['field']}: {$error['problem']}", $outcome['errors']);
    return "correct what was handed in as {$outcome['submission']}: " . implode('; ', $errors);
}

/** The evidence as the provider sent it, byte for byte, in a file of its own. */
function saved(array $outcome): string
{
    $evidence = $outcome['evidence'];
    $original = $evidence['encoding'] === 'base64' ? base64_decode($evidence['content'], true) : $evidence['content'];
    if ($original === false || !hash_equals($evidence['sha256'], hash('sha256', $original))) {
        throw new RuntimeException('the evidence does not have its sha256');
    }
    $folder = getenv('EVIDENCE_DIR') ?: 'evidence';
    $file = "$folder/{$outcome['document']}-run-{$outcome['run']}.xml";
    if ((!is_dir($folder) && !@mkdir($folder, recursive: true)) || @file_put_contents($file, $original) === false) {
        throw new RuntimeException("$file cannot be written");
    }
    return $file;
}
