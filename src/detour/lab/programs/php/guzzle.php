<?php
/** Guzzle: a `Client` with the handler it chooses, redirects followed as it does of itself. */

declare(strict_types=1);

require __DIR__.'/lab.php';
require 'GuzzleHttp/autoload.php';

use GuzzleHttp\Client;
use GuzzleHttp\Exception\BadResponseException;
use GuzzleHttp\Psr7\FnStream;
use GuzzleHttp\Psr7\Utils;
use GuzzleHttp\TransferStats;

function content(Lab\Asked $asked): array
{
    return match ($asked->kind) {
        'none' => [],
        'form' => ['form_params' => $asked->form(), 'headers' => $asked->named($asked->fields)],
        'multipart' => ['multipart' => array_map(part(...), $asked->parts)],
        'file' => ['body' => $asked->opened()],
        'stream' => ['body' => $asked->generator()],
        'chunked' => ['body' => unmeasured($asked->octets())],
        'expect' => ['body' => $asked->octets(), 'expect' => true],
        default => ['body' => $asked->octets()],
    };
}

function part(array $part): array
{
    return $part['filename'] === ''
        ? ['name' => $part['name'], 'contents' => $part['text']]
        : [
            'name' => $part['name'],
            'contents' => fopen($part['file'], 'rb'),
            'filename' => $part['filename'],
            'headers' => ['Content-Type' => $part['type']],
        ];
}

/** A stream that can be rewound and does not know how long it is. */
function unmeasured(string $octets): FnStream
{
    return FnStream::decorate(Utils::streamFor($octets), ['getSize' => static fn () => null]);
}

Lab\run(static function (): callable {
    $client = new Client();

    return static function (Lab\Asked $asked) use ($client): array {
        $url = '';
        $told = content($asked) + [
            'headers' => $asked->named($asked->typed()),
            'timeout' => $asked->timeout,
            'on_stats' => static function (TransferStats $stats) use (&$url): void {
                $url = (string) $stats->getEffectiveUri();
            },
        ];
        try {
            $answer = $client->request($asked->method, $asked->url, $told);
        } catch (BadResponseException $bad) { // a status from 400 on
            $answer = $bad->getResponse();
        }

        return [$answer->getStatusCode(), $url];
    };
});
