<?php
/** PHP's curl: `CURLOPT_FOLLOWLOCATION`. */

declare(strict_types=1);

require __DIR__.'/lab.php';

/** The content, and the method that libcurl makes of it. */
function content(Lab\Asked $asked): array
{
    if ($asked->method === 'HEAD') {
        return $asked->kind === 'none'
            ? [[CURLOPT_NOBODY => true], 'HEAD']
            : throw new Lab\Unsupported('HEAD is CURLOPT_NOBODY, which has no content');
    }
    switch ($asked->kind) {
        case 'none':
            return [[], 'GET'];
        case 'form':
            return [[CURLOPT_POSTFIELDS => http_build_query($asked->form())], 'POST'];
        case 'multipart':
            return [[CURLOPT_POSTFIELDS => multipart($asked)], 'POST'];
        case 'file':
            $file = [CURLOPT_UPLOAD => true, CURLOPT_INFILE => $asked->opened(), CURLOPT_INFILESIZE => $asked->length];

            return [$file, 'PUT'];
        case 'stream':
            $pipe = popen('exec cat '.escapeshellarg($asked->file), 'r');
            $read = static fn ($curl, $opened, int $length): string => (string) fread($pipe, $length);

            return [[CURLOPT_UPLOAD => true, CURLOPT_READFUNCTION => $read], 'PUT'];
    }

    return [[CURLOPT_POSTFIELDS => $asked->octets()], 'POST'];
}

function multipart(Lab\Asked $asked): array
{
    $form = [];
    foreach ($asked->parts as $part) {
        $form[$part['name']] = $part['filename'] === ''
            ? $part['text']
            : new CURLFile($part['file'], $part['type'], $part['filename']);
    }

    return $form;
}

function fields(Lab\Asked $asked): array
{
    $own = match ($asked->kind) {
        'chunked' => ['Transfer-Encoding: chunked'],
        'expect' => ['Expect: 100-continue'],
        default => [],
    };

    return [...$asked->lines($asked->kind === 'form' ? $asked->fields : $asked->typed()), ...$own];
}

Lab\run(static fn (): callable => static function (Lab\Asked $asked): array {
    [$content, $implied] = content($asked);
    $curl = curl_init($asked->url);
    curl_setopt_array($curl, $content + [
        CURLOPT_FOLLOWLOCATION => true,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT_MS => (int) ($asked->timeout * 1000),
        CURLOPT_HTTPHEADER => fields($asked),
    ]);
    if ($implied !== $asked->method) {
        curl_setopt($curl, CURLOPT_CUSTOMREQUEST, $asked->method);
    }
    if (curl_exec($curl) === false) {
        throw new RuntimeException('curl '.curl_errno($curl).': '.curl_error($curl));
    }

    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), curl_getinfo($curl, CURLINFO_EFFECTIVE_URL)];
});
