"""What checking a URL costs, beside other programs that follow redirects."""
