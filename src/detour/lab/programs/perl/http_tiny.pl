# HTTP::Tiny: redirects followed as it does of itself.

use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;

use HTTP::Tiny;
use Lab;

sub content {
    my ($tiny, $asked) = @_;
    my $kind = $asked->kind;
    return () if $kind eq 'none';
    return (content => $tiny->www_form_urlencode([$asked->characters])) if $kind eq 'form';
    return (content => $asked->octets) if $kind =~ /^(?:empty|json|large)$/;
    return (content => $asked->pieces) if $kind =~ /^(?:file|stream)$/;
    return $asked->unknown;
}

Lab::run(sub {
    my $tiny = HTTP::Tiny->new(timeout => shift->timeout);
    return sub {
        my $asked = shift;
        my @own = $asked->kind eq 'file' ? ('Content-Length' => $asked->length) : ();
        my %told = (headers => $asked->named(@own), content($tiny, $asked));
        my $answer = $tiny->request($asked->method, $asked->url, \%told);
        die $answer->{content} if $answer->{status} == 599;    # what it says of itself
        return ($answer->{status}, $answer->{url});
    };
});
