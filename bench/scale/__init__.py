"""What a redirect costs among a million rules: kinds of rules, how many of them, which of them is hit."""
