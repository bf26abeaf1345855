// java.net.http.HttpClient, as it comes: HTTP/2 wanted, so it offers `Upgrade: h2c` on plain http.
// The same command line as asked.py describes. SSL_CERT_FILE names the certificates it trusts.

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

class JavaHttpProgram {
    static final String BOUNDARY = "----what-arrives-7MA4YWxkTrZu0gW";

    public static void main(String[] words) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.ALWAYS);
        if (System.getenv("SSL_CERT_FILE") != null) builder.sslContext(trusting(System.getenv("SSL_CERT_FILE")));
        HttpClient client = builder.build();
        for (int at = 0; at < words.length; at += 4) {
            System.out.println(send(client, words[at], words[at + 1], words[at + 2], Path.of(words[at + 3])));
        }
        System.exit(0); // the client's threads would keep the program up
    }

    static String send(HttpClient client, String method, String url, String kind, Path file) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(30));
            String type = type(kind);
            if (type != null) request.header("Content-Type", type);
            var answer = client.send(request.method(method, content(kind, file)).build(), BodyHandlers.ofByteArray());
            return "{\"status\": " + answer.statusCode() + ", \"url\": \"" + answer.uri() + "\", \"error\": null}";
        } catch (Exception error) {
            String text = error.toString().replaceAll("[\"\\\\\\p{Cntrl}]", " ");
            return "{\"status\": null, \"url\": null, \"error\": \"" + text + "\"}";
        }
    }

    static String type(String kind) {
        return switch (kind) {
            case "json" -> "application/json";
            case "file" -> "application/octet-stream";
            case "text" -> "text/plain";
            case "multipart" -> "multipart/form-data; boundary=" + BOUNDARY;
            default -> null;
        };
    }

    static BodyPublisher content(String kind, Path file) throws Exception {
        return switch (kind) {
            case "none" -> BodyPublishers.noBody();
            case "file" -> BodyPublishers.ofFile(file);
            case "multipart" -> BodyPublishers.ofByteArray(form(file));
            default -> BodyPublishers.ofString(Files.readString(file));
        };
    }

    static byte[] form(Path file) throws Exception {
        String head = "--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nkept or lost?\r\n--"
            + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + file.getFileName()
            + "\"\r\nContent-Type: application/octet-stream\r\n\r\n";
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.write(head.getBytes(StandardCharsets.US_ASCII));
        whole.write(Files.readAllBytes(file));
        whole.write(("\r\n--" + BOUNDARY + "--\r\n").getBytes(StandardCharsets.US_ASCII));
        return whole.toByteArray();
    }

    static SSLContext trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (InputStream pem = Files.newInputStream(Path.of(file))) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
