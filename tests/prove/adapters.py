"""What an existing configuration is given so that its server starts on this machine, a row each.

A configuration names certificates, hosts, folders and logs that only its owner has. None of the changes
below touches what is redirected: a reader is proved with the text that it read, and the server with the text
so changed. What cannot be helped is counted, with a reason (`REASONS`).
"""

from __future__ import annotations

import re

import msgspec


class Change(msgspec.Struct, frozen=True):
    """What is replaced in a configuration, and why that changes no redirect."""

    pattern: str  # multi-line
    by: str
    why: str


NGINX = (
    Change(
        r"(^|(?<=[;{}\s]))ssl_(?:certificate|certificate_key|trusted_certificate|client_certificate|dhparam"
        r"|crl|password_file|session_ticket_key|stapling\w*)\s[^;]*;",
        "",
        "files of its owner; a certificate of our own stands in `http`",
    ),
    Change(r"(^|(?<=[;{}\s]))(?:access_log|error_log)\s[^;]*;", "", "logs in folders of its owner"),
    Change(
        r"(^|(?<=[;{}\s]))(proxy_pass|grpc_pass|uwsgi_pass|fastcgi_pass|scgi_pass|memcached_pass)(\s+)"
        r"(https?://|grpcs?://|uwsgi://)?(?![\d.]+[:/;]|unix:|localhost\b|\$|https?:|grpcs?:)[\w.-]+(?::\d+)?(?=[/;$])",
        r"\1\2\3\g<4>127.0.0.1:9",
        "hosts that are known to its owner's resolver only; what a backend answers is not compared",
    ),
    Change(
        r"^(\s*)(?:more_(?:set|clear)_(?:headers|input_headers))\s(?![^;]*location)[^;]*;",
        r"\1",
        "of the module headers-more, which Debian's nginx has not: fields other than Location",
    ),
    Change(r"^(\s*)(?:user|pid|load_module)\s[^;]*;", r"\1", "of the main process"),
    Change(r"^(\s*)resolver\s[^;]*;", r"\1", "its owner's resolver"),
    Change(
        r"(^|(?<=[;{}\s]))(root|alias)\s[^;]*;",
        r"\1\2 /nonexistent/;",
        "folders of its owner: which directories there are, no reader tells",
    ),
)
APACHE = (
    Change(
        r"^[ \t]*(?:ServerRoot|PidFile|Mutex|LockFile|DefaultRuntimeDir|User|Group|Timeout|TypesConfig"
        r"|LoadModule|ErrorLog|CustomLog|TransferLog|LogLevel|RewriteLog\w*|RewriteLock|HostnameLookups"
        r"|(?:Max)?KeepAlive\w*|AccessFileName|NameVirtualHost|SSLSessionCache|LogFormat)\b.*$",
        "",
        "of the main process: where it runs and logs",
    ),
    Change(
        r"^([ \t]*SSLCertificate(?:Key)?File)[ \t].*$", r"\1 {both}", "its owner's certificate; ours instead"
    ),
    Change(
        r"(?<![\w/])/srv/t/", "${DETOUR_FOLDER}/srv/t/", "the folder of a test's framework, made: see FOLDERS"
    ),
    Change(
        r"^([ \t]*RewriteMap[ \t]+\S+)[ \t]+(?:txt|rnd|dbm|prg|dbd|fastdbd):\S+.*$",
        r"\1 int:tolower",
        "tables of its owner: what asks them is listed, never claimed",
    ),
    Change(
        r"^([ \t]*RemoteIPProxyProtocol)[ \t]+On\b.*$", r"\1 Off", "it is asked without a PROXY line in front"
    ),
    Change(
        r"\butil_strlen\(([^)]*)\) -le (\d+)",
        r"\1 =~ /^.{0,\2}$/",
        "a function of Apache's trunk, on a rule that redirects nothing",
    ),
    Change(r"^[ \t]*SSL(?:CertificateChainFile|CACertificate\w+)\b.*$", "", "its owner's certificates"),
)
HAPROXY = (
    Change(
        r"^[ \t]*(?:chroot|user|group|uid|gid|daemon|ulimit-n|maxconn|nbproc|nbthread|pidfile"
        r"|stats[ \t]+socket|log[ \t]|ca-base|crt-base|ssl-default-\S+|ssl-dh-param-file|zero-warning"
        r"|strict-limits|errorfile)\b.*$",
        "",
        "of the main process: where it runs, logs and how much it takes",
    ),
    Change(
        r"^([ \t]*server[ \t]+\S+)[ \t]+[\d.]+(?::\d+)?((?:(?!\bredir\b).)*)$",
        r"\1 127.0.0.1:9",
        "hosts of its owner, and checks of them; what a backend answers is not compared",
    ),
)
ENVOY = (
    Change(
        r"^([ \t]*(?:-[ \t]+)?)route:[ \t]*\{[ \t]*cluster:[ \t]*\S+[ \t]*\}",
        r"\1direct_response: {status: 503}",
        "clusters that another file says; what a backend answers is not compared",
    ),
)
FOLDERS = {"apache": ("srv/t/htdocs/modules/rewrite",)}  # below the server's own; a <Directory> must be there
CHANGES: dict[str, tuple[Change, ...]] = {
    "nginx": NGINX,
    "apache": APACHE,
    "haproxy": HAPROXY,
    "envoy": ENVOY,
}

# Why a server does not start, as it says it.
REASONS = (
    (r"unknown directive \"?([\w-]+)", "a directive of a module that is not installed, or none: {0}"),
    (r"Invalid command '([^']+)'", "a directive of a module that is not installed, or none: {0}"),
    (r"host not found in (?:upstream|resolver)", "an upstream host that does not resolve"),
    (r"unknown \"?(\w+)\"? variable", "a variable that nothing sets: {0}"),
    (r"BIO_new_file|cannot load certificate", "a TLS file that is not there"),
    (r"open\(\) \"([^\"]+)\" failed", "a file that is not there: {0}"),
    (r"unknown keyword '([^']+)'", "a directive of a module that is not installed, or none: {0}"),
    (r"Error\(s\) found in configuration file|parsing caddyfile tokens", "its own program refuses it"),
    (r"listens on no port", "there is no server in it, so that nothing redirects"),
    (r"the duplicate \"?(\w+)\"? variable", "its own program refuses it"),
    (
        r"directive is not allowed here|invalid number of arguments|unexpected \"|not terminated"
        r"|unterminated|is duplicate|invalid (?:parameter|value|condition|port)|no host in|unexpected end",
        "its own program refuses it",
    ),
)


def adapted(server: str, text: str) -> str:
    """The text with every change of its server."""
    for one in CHANGES.get(server, ()):
        text = re.sub(one.pattern, one.by, text, flags=re.MULTILINE | re.IGNORECASE)
    if server == "apache":  # the reader takes each to hold, and says so
        names = re.findall(r"(?mi)^\s*<IfDefine\s+([A-Za-z]\w*)>", text)
        # DirectorySlash: which directories there are, no reader tells
        text = "".join(
            (
                "DirectorySlash Off\n",
                *(f"Define {name}\n" for name in dict.fromkeys(names) if name != "APACHE1"),
                text,
            )
        )
    return text


def folders(server: str) -> dict[str, str]:
    """An empty file in each folder that must be there."""
    return {f"{folder}/.keep": "" for folder in FOLDERS.get(server, ())}


def reason(said: str) -> str:
    """Why a server did not start, of what it said; the words themselves where no row fits."""
    for pattern, why in REASONS:
        if found := re.search(pattern, said):
            return why.format(*found.groups())
    return said
