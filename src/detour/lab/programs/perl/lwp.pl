# LWP::UserAgent, and WWW::Mechanize which is one. `lwp.pl CLASS [METHOD …]`: further methods that may be redirected.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use HTTP::Request::Common;
use Lab;

my ($class, @redirectable) = @ARGV;
eval "require $class" or die;

sub request {
    my $asked = shift;
    my $kind = $asked->kind;
    my @form = $kind eq 'form' ? (Content => [$asked->pairs]) : ();
    @form = (Content_Type => 'form-data', Content => [map { part($_) } $asked->parts]) if $kind eq 'multipart';
    if (@form) {
        my @told = ($asked->method, $asked->url, $asked->fields, @form);
        return HTTP::Request::Common::request_type_with_data(@told);
    }
    my $request = HTTP::Request->new($asked->method, $asked->url, [$asked->typed]);
    return $request if $kind eq 'none';
    $request->content($kind =~ /^(?:file|stream)$/ ? $asked->pieces : $asked->octets);
    $request->header('Content-Length' => $asked->length) if $kind eq 'file';
    $request->header(Expect => '100-continue') if $kind eq 'expect';
    return $request;
}

sub part {
    my $part = shift;
    return $part->{filename}
        ? ($part->{name} => [$part->{file}, $part->{filename}, 'Content-Type' => $part->{type}])
        : ($part->{name} => $part->{text});
}

Lab::run(sub {
    my $asked = shift;
    my $agent = $class->new(timeout => $asked->timeout, $class eq 'WWW::Mechanize' ? (autocheck => 0) : ());
    push @{ $agent->requests_redirectable }, @redirectable;
    return sub {
        my $answer = $agent->request(request(shift));
        die $answer->message if ($answer->header('Client-Warning') // '') eq 'Internal response';
        return ($answer->code, $answer->request->uri);
    };
});
