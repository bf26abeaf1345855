"""What a redirect costs: CPU microseconds in Detour and in its peers, one core each, the same two loads."""
