package Lab;

# What every program written in Perl does: ask for a case, send it, tell the outcome, until there is none.
#
#   Lab::run(sub { my $asked = shift; … });    # makes the client of one case: a function called with the case
#
# Called, it returns the last status and the URL it came from ('' if the client does not say). What it dies of
# is told as an error; it calls `Lab::unsupported` where its client has no means for what is asked.

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP ();

my $json = JSON::PP->new->utf8->allow_blessed->convert_blessed;
my $base = $ENV{DETOUR_LAB};

# Every case, each with a client of its own.
sub run {
    my ($open, @apis) = @_;
    my $lab = HTTP::Tiny->new(keep_alive => 0);    # kept, it waits 40 ms (Nagle) between head and content
    (my $client = $ENV{DETOUR_LAB_CLIENT}) =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
    while (my $told = ask($lab, GET => "$base/next?client=$client")) {
        my $asked = Lab::Asked->new($json->decode($told));
        my $said = said($open, $asked, 'http', @apis);
        ask($lab, POST => $asked->outcome, { content => $json->encode($said) });
    }
}

sub unsupported {
    die Lab::Unsupported->new(@_);
}

sub said {
    my ($open, $asked, @apis) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my ($status, $url) = eval {
        unsupported('has no ' . $asked->api) unless grep { $_ eq $asked->api } @apis;
        my $send = $open->($asked);
        my @answer;
        @answer = $send->($asked) for 1 .. $asked->times;
        @answer;
    };
    return { status => $status + 0, url => "$url" } unless $@;
    return { unsupported => $@->why } if ref $@ && $@->isa('Lab::Unsupported');
    return { error => join ' ', split ' ', "$@" };
}

sub ask {
    my ($lab, $method, $url, @told) = @_;
    my $answer = $lab->request($method, $url, @told);
    die "$method $url: $answer->{status} $answer->{content}" unless $answer->{status} =~ /^(?:200|204|404)$/;
    return $answer->{content};
}

package Lab::Unsupported;

sub new { my ($class, $why) = @_; return bless { why => $why }, $class }
sub why { return shift->{why} }

# What is asked. `file` is the path of the octets, whatever the kind (but none).
package Lab::Asked;

sub new { my ($class, $told) = @_; return bless $told, $class }

for my $name (qw(method url api times timeout outcome)) {
    no strict 'refs';
    *$name = sub { return shift->{$name} };
}

for my $name (qw(kind type length file)) {
    no strict 'refs';
    *$name = sub { return shift->{content}{$name} };
}

# Name and value of each field, flat; with the Content-Type of content whose type the client does not know itself.
sub fields { return map { @$_ } @{ shift->{fields} } }

sub typed {
    my $self = shift;
    my $own = $self->kind =~ /^(?:none|empty|multipart)$/ || !$self->type;
    return $own ? $self->fields : ($self->fields, 'Content-Type' => $self->type);
}

# `typed` as a hash; a name that occurs twice has an array.
sub named {
    my ($self, @own) = @_;
    my @flat = ($self->typed, @own);
    my %named;
    while (my ($name, $value) = splice @flat, 0, 2) {
        push @{ $named{$name} }, $value;
    }
    return { map { $_ => @{ $named{$_} } > 1 ? $named{$_} : $named{$_}[0] } keys %named };
}

# The pairs of a form, flat: for a client that encodes them itself, and in octets for one that does not.
sub characters { return map { @$_ } @{ shift->{content}{pairs} } }

sub pairs {
    my @flat = shift->characters;
    utf8::encode($_) for @flat;
    return @flat;
}

# The parts of a multipart form: name, filename ('' for a plain field), type, text, file.
sub parts { return @{ shift->{content}{parts} } }

# The content in memory.
sub octets {
    my $opened = shift->opened;
    local $/;
    return scalar(<$opened>) // '';
}

# The content as an open file.
sub opened {
    my $self = shift;
    open my $opened, '<:raw', $self->file or die "$!";
    return $opened;
}

# The content as a function that gives the next piece whenever it is called, and '' at the end.
sub pieces {
    my $opened = shift->opened;
    return sub { read $opened, my $piece, 8192; return $piece };
}

sub unknown {
    my $self = shift;
    return Lab::unsupported('knows no content of kind ' . $self->kind);
}

1;
