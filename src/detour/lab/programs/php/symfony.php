<?php
/** symfony/http-client: the client that `HttpClient::create` chooses, redirects followed as it does of itself. */

declare(strict_types=1);

require __DIR__.'/lab.php';
require 'Symfony/Component/HttpClient/autoload.php';
require 'Symfony/Component/Mime/autoload.php';

use Symfony\Component\HttpClient\HttpClient;
use Symfony\Component\Mime\Part\DataPart;
use Symfony\Component\Mime\Part\Multipart\FormDataPart;

/** Octets that can be iterated over again and again, of no length that anybody is told. */
final class Repeatable implements IteratorAggregate
{
    public function __construct(private readonly string $octets)
    {
    }

    public function getIterator(): Iterator
    {
        yield from str_split($this->octets, Lab\PIECE);
    }
}

function content(Lab\Asked $asked): array
{
    $fields = $asked->lines($asked->kind === 'form' ? $asked->fields : $asked->typed());
    if ($asked->kind === 'none') {
        return ['headers' => $fields];
    }
    if ($asked->kind === 'multipart') {
        $form = new FormDataPart(array_column(array_map(part(...), $asked->parts), 1, 0));

        return ['headers' => [...$fields, ...$form->getPreparedHeaders()->toArray()], 'body' => $form->bodyToIterable()];
    }
    $body = match ($asked->kind) {
        'form' => $asked->form(),
        'file' => $asked->opened(),
        'stream' => $asked->generator(),
        'chunked' => new Repeatable($asked->octets()),
        default => $asked->octets(),
    };
    $own = $asked->kind === 'expect' ? ['Expect: 100-continue'] : [];

    return ['headers' => [...$fields, ...$own], 'body' => $body];
}

function part(array $part): array
{
    $data = $part['filename'] === ''
        ? $part['text']
        : new DataPart(fopen($part['file'], 'rb'), $part['filename'], $part['type']);

    return [$part['name'], $data];
}

Lab\run(static function (): callable {
    $client = HttpClient::create(['cafile' => getenv('DETOUR_LAB_CA')]);

    return static function (Lab\Asked $asked) use ($client): array {
        $limits = ['timeout' => $asked->timeout, 'max_duration' => $asked->timeout];
        $answer = $client->request($asked->method, $asked->url, content($asked) + $limits);
        $answer->getContent(false);

        return [$answer->getStatusCode(), $answer->getInfo('url')];
    };
});
