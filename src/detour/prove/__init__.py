"""Real servers and Detour's decision, asked the same questions: what differs is a pair of answers."""
