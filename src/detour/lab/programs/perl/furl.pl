# Furl: redirects followed as it does of itself.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use Furl;
use Lab;

sub content {
    my $asked = shift;
    my $kind = $asked->kind;
    return () if $kind eq 'none';
    return (content => [$asked->pairs]) if $kind eq 'form';
    return (content => $asked->octets) if $kind =~ /^(?:empty|json|large)$/;
    return (content => $asked->opened) if $kind eq 'file';
    return $asked->unknown;
}

Lab::run(sub {
    my $furl = Furl->new(timeout => shift->timeout, ssl_opts => { SSL_ca_file => $ENV{DETOUR_LAB_CA} });
    return sub {
        my $asked = shift;
        my @told = (method => $asked->method, url => $asked->url, headers => [$asked->typed], content($asked));
        my $answer = $furl->request(@told);
        die $answer->message if $answer->header('X-Internal-Response');
        return ($answer->code, '');
    };
});
