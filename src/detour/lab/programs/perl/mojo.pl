# Mojo::UserAgent: `max_redirects(10)`.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Lab;
use Mojo::Asset::File;
use Mojo::UserAgent;

sub transaction {
    my ($agent, $asked) = @_;
    my @told = ($asked->method, $asked->url);
    return $agent->build_websocket_tx($asked->url) if $asked->api eq 'websocket';
    my $kind = $asked->kind;
    return $agent->build_tx(@told, $asked->named, form => { $asked->characters }) if $kind eq 'form';
    return $agent->build_tx(@told, $asked->named, form => { map { part($_) } $asked->parts }) if $kind eq 'multipart';
    my $sent = $agent->build_tx(@told, $asked->named);
    if ($kind =~ /^(?:empty|json|large)$/) {
        $sent->req->body($asked->octets);
    }
    elsif ($kind eq 'file') {
        $sent->req->content->asset(Mojo::Asset::File->new(path => $asked->file));
    }
    elsif ($kind eq 'stream') {
        chunks($sent->req->content, $asked->pieces);
    }
    elsif ($kind ne 'none') {
        $asked->unknown;
    }
    return $sent;
}

sub part {
    my $part = shift;
    return ($part->{name} => $part->{text}) unless $part->{filename};
    my %file = (file => $part->{file}, filename => $part->{filename}, 'Content-Type' => $part->{type});
    return ($part->{name} => \%file);
}

sub chunks {
    my ($content, $pieces) = @_;
    my $next;
    $next = sub {
        my ($sent, $piece) = (shift, $pieces->());
        $sent->write_chunk($piece, length $piece ? $next : ());    # asked again after the end, it would end again
    };
    $content->$next;
}

Lab::run(
    sub {
        my $agent = Mojo::UserAgent->new(max_redirects => 10, ca => $ENV{DETOUR_LAB_CA});
        $agent->connect_timeout($_[0]->timeout)->inactivity_timeout($_[0]->timeout);
        return sub {
            my $done = $agent->start(transaction($agent, shift));
            my $error = $done->error;
            die $error->{message} if $error && !$error->{code};
            return ($done->res->code, $done->req->url->to_abs);
        };
    },
    'websocket',
);
