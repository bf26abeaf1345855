import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.concurrent.CompletionException;

/** java.net.http: an HttpClient, Redirect.NORMAL. */
final class JavaNetHttp implements Lab.Client {
    private final HttpClient client;

    JavaNetHttp(Lab.Case asked) {
        client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NORMAL)
                .connectTimeout(Duration.ofMillis(asked.millis()))
                .build();
    }

    @Override
    public Lab.Answer send(Lab.Case asked) throws Exception {
        if (asked.api().equals("websocket")) {
            return upgraded(asked);
        }
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(asked.url()))
                .timeout(Duration.ofMillis(asked.millis()))
                .expectContinue(asked.kind().equals("expect"))
                .method(asked.method(), content(asked));
        if (asked.kind().equals("none")) {
            switch (asked.method()) {
                case "GET" -> request.GET();
                case "DELETE" -> request.DELETE();
                default -> {}
            }
        }
        if (asked.typed()) {
            request.header("Content-Type", asked.type());
        }
        for (Lab.Pair field : asked.fields()) {
            add(request, field);
        }
        HttpResponse<byte[]> answer = client.send(request.build(), BodyHandlers.ofByteArray());
        return new Lab.Answer(answer.statusCode(), answer.uri());
    }

    private static void add(HttpRequest.Builder request, Lab.Pair field) {
        try {
            request.header(field.name(), field.value());
        } catch (IllegalArgumentException restricted) {
            throw new Lab.Unsupported(restricted.getMessage());
        }
    }

    private static BodyPublisher content(Lab.Case asked) throws IOException {
        switch (asked.kind()) {
            case "none":
                return BodyPublishers.noBody();
            case "form":
                return BodyPublishers.ofString(asked.encoded());
            case "json":
                return BodyPublishers.ofString(asked.text());
            case "empty":
            case "large":
            case "expect":
                return BodyPublishers.ofByteArray(asked.octets());
            case "file":
                return BodyPublishers.ofFile(asked.file());
            case "stream":
                InputStream once = asked.stream();
                return BodyPublishers.ofInputStream(() -> once);
            case "chunked":
                byte[] octets = asked.octets();
                return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(octets));
            default:
                throw new Lab.Unsupported("knows no content of kind " + asked.kind());
        }
    }

    private Lab.Answer upgraded(Lab.Case asked) throws Exception {
        URI uri = URI.create(asked.url().replaceFirst("^http", "ws"));
        WebSocket.Builder builder = client.newWebSocketBuilder().connectTimeout(Duration.ofMillis(asked.millis()));
        try {
            builder.buildAsync(uri, new WebSocket.Listener() {}).join();
            return new Lab.Answer(101, uri);
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof WebSocketHandshakeException handshake) {
                HttpResponse<?> answer = handshake.getResponse();
                return new Lab.Answer(answer.statusCode(), answer.uri());
            }
            throw failed;
        }
    }

    public static void main(String[] words) throws Exception {
        Lab.run(JavaNetHttp::new);
    }
}
