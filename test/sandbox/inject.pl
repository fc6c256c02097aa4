# Makes the sandbox's first process work for the command, by ptrace(2) on x64: `memory <MiB> [released]`, `spin` or `fork`.
use strict;
$| = 1;
my ($work, $mib, $released) = @ARGV;
my ($GETREGS, $POKE, $SETREGS, $CONT, $ATTACH, $DETACH) = (12, 4, 13, 7, 16, 17);
my ($R10, $R9, $R8, $RAX, $RDX, $RSI, $RDI, $ORIG_RAX, $RIP) = (7, 8, 9, 10, 12, 13, 14, 15, 16);

sub trace { syscall(101, $_[0], 1, $_[1], $_[2]) != -1 or do { print "refused: $!\n"; exit 1 } }

sub stopped {
  my $status = "\0" x 8;
  syscall(61, 1, $status, 0x40000000, 0); # wait4; waitpid of Perl hides the signal
  return (unpack("l", $status) >> 8) & 0xff;
}

trace($ATTACH, 0, 0);
stopped();
my $registers = "\0" x 216;
trace($GETREGS, 0, $registers);
my @before = unpack("q27", $registers);

sub poke {
  my ($code) = @_;
  for (my $at = 0; $at < length $code; $at += 8) {
    my $word = unpack("q", substr($code . "\x90" x 8, $at, 8));
    trace($POKE, $before[$RIP] + $at, $word);
  }
}

sub run {
  my %values = @_;
  my @now = @before;
  $now[$ORIG_RAX] = -1;
  $now[$_] = $values{$_} for keys %values;
  my $packed = pack("q27", @now);
  trace($SETREGS, 0, $packed);
}

sub call {
  my @arguments = (@_, (0) x 7);
  my @places = ($RAX, $RDI, $RSI, $RDX, $R10, $R8, $R9);
  run(map { $places[$_] => $arguments[$_] } 0 .. 6);
  trace($CONT, 0, 0);
  while (stopped() != 5) { trace($CONT, 0, 0) }
  my $after = "\0" x 216;
  trace($GETREGS, 0, $after);
  return (unpack("q27", $after))[$RAX];
}

if ($work eq "memory") {
  poke("\x0f\x05\xcc"); # syscall; int3
  for (my $done = 0; $done < $mib; $done += 50) {
    my $address = call(9, 0, 50 << 20, 3, 33, -1, 0); # mmap, shared and anonymous
    my $populated = call(28, $address, 50 << 20, 23); # madvise, MADV_POPULATE_WRITE
    print "populate: $populated\n" if $populated;
    call(28, $address, 50 << 20, 4) if $released; # madvise, MADV_DONTNEED: held, and mapped by nobody
  }
  print "mapped\n";
  sleep 20;
  exit;
}
poke($work eq "fork" ? "\xb8\x39\0\0\0\x0f\x05\xeb\xf7" : "\xeb\xfe"); # fork again and again, or jump to itself
run();
trace($DETACH, 0, 0);
print "detached\n";
sleep 20;
