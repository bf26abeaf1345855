import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * What every program written in Java does: ask for a case, send it, tell the outcome, until there is none.
 *
 * <p>A program implements {@link Client}, which lives for one case, and calls {@link #run}. What it throws is
 * told as an error; {@link Unsupported} where its client has no means of its own for what is asked.
 */
final class Lab {
    /** A pair of a field, or of a form. */
    record Pair(String name, String value) {}

    /** One part of a multipart form; {@code filename} is empty for a plain field. */
    record Part(String name, String filename, String type, String text, Path file) {}

    /** The last status, and the URL it came from; null if the client does not say. */
    record Answer(int status, Object url) {}

    /** What is asked. {@code file} holds the octets, whatever the kind. */
    record Case(
            String token,
            String method,
            String url,
            List<Pair> fields,
            String kind,
            String type,
            String text,
            List<Pair> pairs,
            List<Part> parts,
            Path file,
            String api,
            int times,
            int millis) {

        byte[] octets() throws IOException {
            return Files.readAllBytes(file);
        }

        /** The content, to be read once. */
        InputStream stream() throws IOException {
            return new FileInputStream(file.toFile());
        }

        /** Whether the client is told the type of the content, or makes it itself. */
        boolean typed() {
            return !type.isEmpty() && !List.of("none", "empty", "multipart").contains(kind);
        }

        /** The pairs of a form, encoded by Java's own encoder. */
        String encoded() {
            return pairs.stream()
                    .map(one -> encode(one.name()) + "=" + encode(one.value()))
                    .collect(Collectors.joining("&"));
        }

        private static String encode(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8);
        }
    }

    /** This client cannot send such a thing by its own means. */
    static final class Unsupported extends RuntimeException {
        Unsupported(String why) {
            super(why);
        }
    }

    /** Sends a case and returns what its client handed back, a redirect included. */
    interface Client extends AutoCloseable {
        Answer send(Case asked) throws Exception;

        @Override
        default void close() throws Exception {}
    }

    /** Makes the client of one case. */
    interface Clients {
        Client open(Case asked) throws Exception;
    }

    private static final String BASE = System.getenv("DETOUR_LAB");
    private static final String NAME =
            URLEncoder.encode(System.getenv("DETOUR_LAB_CLIENT"), StandardCharsets.UTF_8).replace("+", "%20");

    private static final int GRACE_MILLIS = 500;

    private Lab() {}

    /** Every case, each with a client of its own. */
    static void run(Clients clients) throws Exception {
        trust(Path.of(System.getenv("DETOUR_LAB_CA")));
        String told;
        while (!(told = ask("GET", "/next?client=" + NAME, null)).isEmpty()) {
            Case asked = parsed(new Json(told).value());
            ask("POST", "/outcome/" + asked.token(), said(clients, asked));
        }
        System.exit(0); // whatever threads a client has left
    }

    /** The outcome, or that there is none when the client's own limit of time is well over. */
    private static String said(Clients clients, Case asked) throws InterruptedException {
        CompletableFuture<String> outcome = new CompletableFuture<>();
        Thread sending = new Thread(() -> outcome.complete(sent(clients, asked)));
        sending.setDaemon(true);
        sending.start();
        int limit = asked.times() * asked.millis() + GRACE_MILLIS;
        try {
            return outcome.get(limit, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException none) {
            return "{\"error\": \"no answer after " + limit + " ms, for all its timeouts\"}";
        }
    }

    private static String sent(Clients clients, Case asked) {
        try (Client client = clients.open(asked)) {
            Answer answer = null;
            for (int time = 0; time < asked.times(); time++) {
                answer = client.send(asked);
            }
            String url = answer.url() == null ? "" : answer.url().toString();
            return "{\"status\": " + answer.status() + ", \"url\": " + Json.text(url) + "}";
        } catch (Unsupported why) {
            return "{\"unsupported\": " + Json.text(why.getMessage()) + "}";
        } catch (Throwable error) { // what a client throws is what is asked
            return "{\"error\": " + Json.text(words(error)) + "}";
        }
    }

    private static String words(Throwable error) {
        String own = error.getClass().getSimpleName() + ": " + error.getMessage();
        Throwable cause = error.getCause();
        return cause == null || cause == error ? own : own + "; " + words(cause);
    }

    /** A trust store with the lab's authority, where everything in Java looks for one. */
    private static void trust(Path pem) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream opened = Files.newInputStream(pem)) {
            Certificate authority = CertificateFactory.getInstance("X.509").generateCertificate(opened);
            store.setCertificateEntry("lab", authority);
        }
        Path file = Path.of(System.getenv("HOME"), "trust.p12");
        try (OutputStream opened = Files.newOutputStream(file)) {
            store.store(opened, "detour".toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", file.toString());
        System.setProperty("javax.net.ssl.trustStoreType", "PKCS12");
        System.setProperty("javax.net.ssl.trustStorePassword", "detour");
    }

    private static String ask(String method, String path, String content) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(BASE + path).openConnection();
        connection.setRequestMethod(method);
        if (content != null) {
            connection.setDoOutput(true);
            try (OutputStream opened = connection.getOutputStream()) {
                opened.write(content.getBytes(StandardCharsets.UTF_8));
            }
        }
        int status = connection.getResponseCode();
        if (status != 200 && status != 204 && status != 404) {
            throw new IOException(method + " " + path + ": " + status);
        }
        InputStream answer = status == 404 ? connection.getErrorStream() : connection.getInputStream();
        try (BufferedReader opened = new BufferedReader(new InputStreamReader(answer, StandardCharsets.UTF_8))) {
            return opened.lines().collect(Collectors.joining("\n"));
        }
    }

    private static Case parsed(Object told) {
        Map<?, ?> asked = (Map<?, ?>) told;
        Map<?, ?> content = (Map<?, ?>) asked.get("content");
        List<Part> parts = new ArrayList<>();
        for (Object one : list(content.get("parts"))) {
            Map<?, ?> part = (Map<?, ?>) one;
            parts.add(new Part(
                    text(part.get("name")),
                    text(part.get("filename")),
                    text(part.get("type")),
                    text(part.get("text")),
                    Path.of(text(part.get("file")))));
        }
        return new Case(
                text(asked.get("token")),
                text(asked.get("method")),
                text(asked.get("url")),
                pairs(asked.get("fields")),
                text(content.get("kind")),
                text(content.get("type")),
                text(content.get("text")),
                pairs(content.get("pairs")),
                parts,
                Path.of(text(content.get("file"))),
                text(asked.get("api")),
                ((Number) asked.get("times")).intValue(),
                (int) (((Number) asked.get("timeout")).doubleValue() * 1000));
    }

    private static String text(Object told) {
        return told == null ? "" : (String) told;
    }

    private static List<?> list(Object told) {
        return told == null ? List.of() : (List<?>) told;
    }

    private static List<Pair> pairs(Object told) {
        List<Pair> pairs = new ArrayList<>();
        for (Object one : list(told)) {
            List<?> pair = (List<?>) one;
            pairs.add(new Pair((String) pair.get(0), (String) pair.get(1)));
        }
        return pairs;
    }
}
