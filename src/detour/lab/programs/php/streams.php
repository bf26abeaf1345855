<?php
/** PHP streams: `file_get_contents` with a context, redirects followed as it does of itself. */

declare(strict_types=1);

require __DIR__.'/lab.php';

function content(Lab\Asked $asked): string
{
    return match ($asked->kind) {
        'none' => '',
        'form' => http_build_query($asked->form()),
        'empty', 'json', 'large' => $asked->octets(),
        default => throw new Lab\Unsupported("knows no content of kind {$asked->kind}"),
    };
}

Lab\run(static fn (): callable => static function (Lab\Asked $asked): array {
    $context = stream_context_create(['http' => [
        'method' => $asked->method,
        'header' => $asked->lines($asked->typed()),
        'content' => content($asked),
        'timeout' => $asked->timeout,
        'ignore_errors' => true, // the status is what is asked, whatever it is
    ]]);
    file_get_contents($asked->url, false, $context);
    $statuses = preg_grep('/^HTTP\//', $http_response_header);

    return [(int) explode(' ', end($statuses))[1], ''];
});
