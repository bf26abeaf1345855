"""Programs that were never captured here: what others showed of them, so each row *suggests*.

"field notes" and a number: section 6 of the project's notes.
"""

from __future__ import annotations

from detour.follow.fingerprint import Fingerprint, Mark
from detour.follow.fingerprints.marks import EMPTY, NO_CONTENT, change, content, field, no_field, status


def _cited(emitter: str, cause: str, marks: tuple[Mark, ...], source: str, remedy: str) -> Fingerprint:
    return Fingerprint(emitter, cause, marks, "suggests", source, remedy)


_TO_HTTPS = change("https")
CITED: tuple[Fingerprint, ...] = (
    _cited(
        "ASP.NET Core",
        "https-redirection",
        (field("Server", "Kestrel"), _TO_HTTPS, NO_CONTENT),
        "field notes 26: dotnet/aspnetcore#25221",
        "app.UseForwardedHeaders() before app.UseHttpsRedirection(); "
        "HttpsRedirectionOptions.RedirectStatusCode, by default 307",
    ),
    _cited(
        "ASP.NET Core",
        "application",
        (field("Server", "Kestrel"),),
        "field notes 26: dotnet/aspnetcore#25221",
        "the application's Redirect(), RedirectPreserveMethod() or rewrite rules",
    ),
    _cited(
        "IIS",
        "http-redirect",
        (field("Server", r"Microsoft-IIS/.+"), Mark("reason", "Redirect|Object Moved|Found|Moved.*")),
        "field notes 27: fruitcake/laravel-cors#66",
        "web.config: <httpRedirect enabled destination httpResponseStatus>, or a <rule> of <rewrite>",
    ),
    _cited(
        "Tomcat",
        "context-root",
        (status("302"), field("Location", r".*;jsessionid=.*")),
        "field notes 28",
        "web.xml: <session-config><tracking-mode>COOKIE</tracking-mode>",
    ),
    _cited(
        "Spring",
        "login",
        (status("302"), field("Set-Cookie", r"JSESSIONID=.*"), field("Location", r".*/login.*"), EMPTY),
        "field notes 28",
        "Spring Security: requestMatchers(…).permitAll(), or an AuthenticationEntryPoint that answers 401",
    ),
    _cited(
        "Symfony",
        "redirect",
        (
            field("Cache-Control", "no-cache, private"),
            content(r'.*<meta http-equiv="refresh" content="0;url=.*Redirecting to .*'),
        ),
        "field notes 32: symfony/symfony#65994",
        "RedirectResponse(url, status) in Symfony, redirect(url, status) in Laravel: the default is 302",
    ),
    _cited(
        "Next.js",
        "trailing-slash",
        (status("308"), field("Refresh", r"0;url=.*"), change("slash-added|slash-dropped")),
        "field notes 33: vercel/next.js#15867",
        "next.config.js: trailingSlash, or skipTrailingSlashRedirect: true",
    ),
    _cited(
        "Next.js",
        "redirects",
        (status("308"), field("Refresh", r"0;url=.*")),
        "field notes 33: vercel/next.js#15867",
        "next.config.js: redirects(), permanent: false for 307",
    ),
    _cited(
        "Next.js",
        "redirect",
        (status("30[378]"), field("X-Powered-By", r"Next\.js.*")),
        "field notes 34: vercel/next.js#35997",
        "redirect(url) or NextResponse.redirect(url, status): the default is 307",
    ),
    _cited(
        "Vercel",
        "domain",
        (status("30[78]"), field("Server", "Vercel"), change("host")),
        "field notes 35: polarsource/polar#7760",
        "Vercel, Project Settings, Domains: the redirect of this domain, and its status",
    ),
    _cited(
        "Vercel",
        "redirect",
        (field("Server", "Vercel"),),
        "field notes 35: polarsource/polar#7760",
        "vercel.json: redirects, permanent or statusCode; trailingSlash, cleanUrls",
    ),
    _cited(
        "AWS ALB",
        "listener-redirect",
        (status("30[12]"), field("Server", r"awselb/.+")),
        "field notes 37: kubernetes-sigs/aws-load-balancer-controller#2541",
        "the listener rule's redirect action; annotation alb.ingress.kubernetes.io/ssl-redirect: it has no "
        "307 or 308",
    ),
    _cited(
        "AWS ALB",
        "listener-redirect",
        (status("30[12]"), field("Location", r"https://[^/]+:443/.*"), field("Content-Length", "134")),
        "field notes 37: kubernetes-sigs/aws-load-balancer-controller#2654",
        "the listener rule's redirect action; it has no 307 or 308",
    ),
    _cited(
        "Amazon S3",
        "temporary-redirect",
        (status("307"), content(r".*<Code>TemporaryRedirect</Code>.*")),
        "field notes 39: getmoto/moto#821",
        "name the bucket's region: https://BUCKET.s3.REGION.amazonaws.com",
    ),
    _cited(
        "Amazon S3",
        "permanent-redirect",
        (status("301"), content(r".*<Code>PermanentRedirect</Code>.*")),
        "field notes 40: transloadit/uppy#713",
        "use the <Endpoint> of the content, or the region of x-amz-bucket-region",
    ),
    _cited(
        "Amazon S3",
        "website-redirect",
        (field("Server", "AmazonS3"),),
        "field notes 39: getmoto/moto#821",
        "the bucket's RoutingRules or the object's x-amz-website-redirect-location; its region",
    ),
    _cited(
        "CloudFront",
        "viewer-protocol",
        (_TO_HTTPS, field("X-Cache", "Redirect from cloudfront")),
        "field notes 41",
        "the cache behavior's ViewerProtocolPolicy: https-only or allow-all for what is posted to",
    ),
    _cited(
        "CloudFront",
        "viewer-protocol",
        (_TO_HTTPS, field("Server", "CloudFront")),
        "field notes 41",
        "the cache behavior's ViewerProtocolPolicy: https-only or allow-all for what is posted to",
    ),
    _cited(
        "Google Cloud load balancer",
        "https-redirect",
        (
            _TO_HTTPS,
            field("Location", r"https://[^/]+:443/.*"),
            no_field("Server"),
            EMPTY,
        ),
        "field notes 43: terraform-google-modules/terraform-google-lb-http#236",
        "the URL map's defaultUrlRedirect: redirectResponseCode TEMPORARY_REDIRECT or PERMANENT_REDIRECT; "
        "its default is MOVED_PERMANENTLY_DEFAULT",
    ),
    _cited(
        "Istio",
        "https-redirect",
        (status("301"), _TO_HTTPS, field("Server", "istio-envoy"), NO_CONTENT),
        "field notes 7: istio/istio#41386",
        "Gateway, servers: tls: httpsRedirect (301 only); for 308, a VirtualService with redirect: "
        "redirectCode",
    ),
    _cited(
        "Google Cloud Storage",
        "resumable-upload",
        (status("308"), no_field("Location"), field("X-GUploader-UploadID", ".+")),
        "field notes 42: golang/go#17773",
        "no redirect: send the rest of the content to the same URL (Range says how much arrived)",
    ),
    _cited(
        "Azure Front Door",
        "rule",
        (field("X-Azure-Ref", ".+"),),
        "field notes 44: MicrosoftDocs/azure-docs#46183",
        "the rule set's urlRedirect action (redirectType), or the route's httpsRedirect",
    ),
    _cited(
        "Azure Application Gateway",
        "redirect-config",
        (field("Server", r"Microsoft-Azure-Application-Gateway/.+"),),
        "field notes 45: simple-acme/simple-acme#282",
        "az network application-gateway redirect-config update --type Permanent|Found|SeeOther|Temporary",
    ),
    _cited(
        "Cloudflare",
        "always-use-https",
        (status("301"), _TO_HTTPS, field("CF-RAY", ".+"), field("Cache-Control", "max-age=3600")),
        "field notes 46: nghttp2/nghttp2#1099",
        "SSL/TLS, Edge Certificates: Always Use HTTPS; a Redirect Rule with 307 or 308 in its place",
    ),
    _cited(
        "Cloudflare",
        "flexible",
        (change("itself"), field("CF-RAY", ".+")),
        "field notes 47: cloudflare/cloudflare-docs#6799",
        "SSL/TLS, Overview: Full (strict) in place of Flexible",
    ),
    _cited(
        "Cloudflare",
        "edge",
        (field("Server", "cloudflare"),),
        "field notes 46: nghttp2/nghttp2#1099",
        "a Redirect Rule or Page Rule there, or the origin behind it",
    ),
    _cited(
        "Zscaler",
        "authentication",
        (status("307"), field("Location", r"https?://([^/]*\.)?(gateway|login)\.zscaler[^/]*/.*")),
        "field notes 48: help.zscaler.com",
        "URL & Cloud App Control: exempt the host from authentication",
    ),
    _cited(
        "ArvanCloud",
        "ddos-challenge",
        (status("307"), change("itself"), field("Set-Cookie", r".*arcookie.*|__arcs.*")),
        "field notes 49: arvancloud/ar-ipwhitelist#6",
        "allow the client's address, or turn the DDoS protection's cookie challenge off for the path",
    ),
    _cited(
        "DDoS-Guard",
        "cookie-probe",
        (field("Set-Cookie", r"__ddg.*"), field("Location", r".*[?&]check=1.*")),
        "field notes 50: calibrain/shelfmark#1209",
        "keep its cookies from one request to the next, or have the client's address allowed",
    ),
    _cited(
        "Tempesta FW",
        "sticky-cookie",
        (status("302"), field("Location", r".*/__tfw=.*")),
        "field notes 51: tempesta-tech/tempesta#1076",
        "tempesta_fw.conf: sticky { cookie … } without enforce",
    ),
    _cited(
        "Chrome",
        "hsts",
        (status("307"), field("Non-Authoritative-Reason", "HSTS")),
        "field notes 53: RFC 6797 §8.3",
        "no server: the browser remembers Strict-Transport-Security; chrome://net-internals/#hsts",
    ),
    _cited(
        "Chrome",
        "https-upgrade",
        (status("307"), field("Non-Authoritative-Reason", "(?!HSTS$).+")),
        "field notes 54",
        "no server: the browser, its HTTPS-First mode or an extension rewrote the request",
    ),
    _cited(
        "Vault",
        "standby",
        (
            status("307"),
            Mark("path", "/v1/.*"),
            change("host"),
            field("Cache-Control", "no-store"),
            EMPTY,
        ),
        "field notes 55: spring-projects/spring-vault#184",
        "api_addr of each node must be reachable by clients; or ask the active node alone",
    ),
    _cited(
        "WebHDFS",
        "datanode",
        (status("307"), Mark("path", "/webhdfs/v1/.*"), field("Location", r".*[?&]namenoderpcaddress=.*")),
        "field notes 56: big-data-europe/docker-hadoop#144",
        "hdfs-site.xml: dfs.datanode.hostname; send the content to the second URL only",
    ),
    _cited(
        "Doris or StarRocks",
        "stream-load",
        (status("307"), Mark("path", r".*/_stream_load")),
        "field notes 57: StarRocks/starrocks#52582",
        "load through a backend at once, or curl --location-trusted",
    ),
    _cited(
        "Pulsar",
        "broker",
        (status("307"), field("Location", r".*[?&]authoritative=.*")),
        "field notes 58: apache/pulsar#25546",
        "broker.conf: advertisedAddress",
    ),
    _cited(
        "OCI registry",
        "blob",
        (status("307"), field("Docker-Distribution-Api-Version", ".+")),
        "field notes 59: distribution/distribution#479",
        "storage: redirect: disable: true in the registry's config.yml",
    ),
    _cited(
        "WordPress",
        "wp-redirect",
        (field("X-Redirect-By", "WordPress"),),
        "wordpress.org: wp_redirect(), its third parameter",
        "wp_redirect($location, 307), or the permalink settings (redirect_canonical)",
    ),
)
