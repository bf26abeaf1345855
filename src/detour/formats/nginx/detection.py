"""How an nginx configuration, or a part of one, is told from other texts."""

from __future__ import annotations

import re

_SIGNS = re.compile(
    r"^[^\S\n]*(?:server|http|location\s[^{\n]+|map\s+\S+\s+\$\w+|upstream\s+\S+|events)\s*\{"
    r"|^[^\S\n]*(?:add_header|more_set_headers|valid_referers|proxy_\w+|fastcgi_\w+|set\s+\$\w+|if\s*\(\s*\$\w+)\s"
    r"|^[^\S\n]*(?:rewrite\s+\S+\s+\S+[^\n]*;|return\s+30[1-8]\s[^\n]*;|server_name\s[^\n{]*;)",
    re.MULTILINE,
)
_SURE = re.compile(
    r"^[^\S\n]*(?:if\s*\(\s*\$\w+|\w+_by_lua_block\s*\{|return\s+[1-5][0-9][0-9]\s*;)", re.MULTILINE
)
_OTHERS = re.compile(
    r"^[^\S\n]*(?:frontend|backend|resource|defaults|global|<VirtualHost|<Directory|RewriteRule|RewriteEngine|apiVersion:|Redirect)\b"
    r"|^[^\S\n]*redir\s|^[^\S\n]*reverse_proxy\s",
    re.MULTILINE,
)


def detect(text: str) -> bool:
    """Whether a text is an nginx configuration, or a part of one: blocks and semicolons."""
    if _OTHERS.search(text):
        return False
    return bool(_SURE.search(text) or (_SIGNS.search(text) and ";" in text))
