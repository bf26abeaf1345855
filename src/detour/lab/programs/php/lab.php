<?php
/**
 * What every program written in PHP does: ask for a case, send it, tell the outcome, until there is none.
 *
 * A program hands `Lab\run` a function that makes the client of one case; called with that case, the client
 * returns the last status and the URL it came from ('' if it does not say). What it throws is told as an error;
 * `Unsupported` where it has no means of its own for what is asked.
 */

declare(strict_types=1);

namespace Lab;

const PIECE = 8192;

final class Unsupported extends \Exception
{
}

/** What is asked. `$file` holds the octets, whatever the kind (but none). */
final class Asked
{
    public readonly string $token;
    public readonly string $method;
    public readonly string $url;
    /** @var list<array{string, string}> */
    public readonly array $fields;
    public readonly string $kind;
    public readonly string $type;
    public readonly int $length;
    /** @var list<array{string, string}> */
    public readonly array $pairs;
    /** @var list<array<string, string>> name, filename ('' for a plain field), type, text, file */
    public readonly array $parts;
    public readonly string $file;
    public readonly string $api;
    public readonly int $times;
    public readonly float $timeout;

    public function __construct(array $told)
    {
        $content = $told['content'];
        $this->token = $told['token'];
        $this->method = $told['method'];
        $this->url = $told['url'];
        $this->fields = $told['fields'];
        $this->kind = $content['kind'];
        $this->type = $content['type'];
        $this->length = $content['length'];
        $this->pairs = $content['pairs'] ?? [];
        $this->parts = $content['parts'] ?? [];
        $this->file = $content['file'] ?? '/dev/null';
        $this->api = $told['api'];
        $this->times = $told['times'];
        $this->timeout = (float) $told['timeout'];
    }

    /** The content in memory. */
    public function octets(): string
    {
        return file_get_contents($this->file);
    }

    /** The content as a stream that can be rewound. */
    public function opened(): mixed
    {
        return fopen($this->file, 'rb');
    }

    /** The content as a generator, which can be read once. */
    public function generator(): \Generator
    {
        $opened = $this->opened();
        while (($piece = fread($opened, PIECE)) !== '') {
            yield $piece;
        }
    }

    /** The pairs of a form as an array. */
    public function form(): array
    {
        return array_column($this->pairs, 1, 0);
    }

    /** Fields with the Content-Type of content whose type the client does not know itself. */
    public function typed(): array
    {
        $own = $this->type === '' || in_array($this->kind, ['none', 'empty', 'multipart'], true);

        return $own ? $this->fields : [...$this->fields, ['Content-Type', $this->type]];
    }

    /** Fields as lines. */
    public function lines(array $fields): array
    {
        return array_map(static fn (array $field): string => "{$field[0]}: {$field[1]}", $fields);
    }

    /** Fields as an array of arrays, by name. */
    public function named(array $fields): array
    {
        $named = [];
        foreach ($fields as [$name, $value]) {
            $named[$name][] = $value;
        }

        return $named;
    }
}

/** Every case, each with a client of its own. */
function run(callable $open): void
{
    $client = rawurlencode(getenv('DETOUR_LAB_CLIENT'));
    while (($told = ask('GET', "/next?client={$client}")) !== '') {
        $asked = new Asked(json_decode($told, true, 32, JSON_THROW_ON_ERROR));
        set_error_handler(static function (int $kind, string $words): bool {
            throw new \ErrorException($words, 0, $kind);
        }, E_WARNING);
        $said = said($open, $asked);
        restore_error_handler();
        ask('POST', "/outcome/{$asked->token}", json_encode($said, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR));
    }
}

function said(callable $open, Asked $asked): array
{
    if ($asked->api !== 'http') {
        return ['unsupported' => "has no {$asked->api}"];
    }
    try {
        $client = $open($asked);
        for ($time = 0; $time < $asked->times; $time++) {
            [$status, $url] = $client($asked);
        }

        return ['status' => $status, 'url' => $url];
    } catch (Unsupported $why) {
        return ['unsupported' => $why->getMessage()];
    } catch (\Throwable $error) { // what a client throws is what is asked
        return ['error' => basename(strtr($error::class, '\\', '/')).': '.$error->getMessage()];
    }
}

function ask(string $method, string $path, string $content = ''): string
{
    $told = ['method' => $method, 'content' => $content, 'header' => 'Content-Type: application/json'];
    $context = stream_context_create(['http' => $told + ['ignore_errors' => true]]);
    $answer = file_get_contents(getenv('DETOUR_LAB').$path, false, $context);
    if ($answer === false || preg_match('/ (200|204|404) /', $http_response_header[0].' ') !== 1) {
        throw new \RuntimeException("{$method} {$path}: ".($http_response_header[0] ?? 'no answer'));
    }

    return $answer;
}
