import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** HttpURLConnection: follows as it does of itself; what has not to be in memory is written in streaming mode. */
final class UrlConnection implements Lab.Client {
    // Dropped without a word unless the property sun.net.http.allowRestrictedHeaders is set.
    private static final List<String> DROPPED = List.of("connection", "upgrade");

    @Override
    public Lab.Answer send(Lab.Case asked) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(asked.url()).openConnection();
        connection.setConnectTimeout(asked.millis());
        connection.setReadTimeout(asked.millis());
        connection.setRequestMethod(asked.method());
        if (asked.typed()) {
            connection.setRequestProperty("Content-Type", asked.type());
        }
        for (Lab.Pair field : asked.fields()) {
            if (DROPPED.contains(field.name().toLowerCase())) {
                throw new Lab.Unsupported("does not send " + field.name());
            }
            connection.addRequestProperty(field.name(), field.value());
        }
        if (!asked.kind().equals("none")) {
            write(connection, asked);
        }
        int status = connection.getResponseCode();
        InputStream answer = status < 400 ? connection.getInputStream() : connection.getErrorStream();
        if (answer != null) {
            answer.readAllBytes();
        }
        return new Lab.Answer(status, connection.getURL());
    }

    private static void write(HttpURLConnection connection, Lab.Case asked) throws IOException {
        if (asked.method().equals("GET")) {
            throw new Lab.Unsupported("makes a POST of a GET with content");
        }
        connection.setDoOutput(true);
        switch (asked.kind()) {
            case "file" -> connection.setFixedLengthStreamingMode(asked.file().toFile().length());
            case "expect" -> {
                connection.setFixedLengthStreamingMode(asked.file().toFile().length());
                connection.setRequestProperty("Expect", "100-Continue");
            }
            case "stream", "chunked" -> connection.setChunkedStreamingMode(0);
            default -> {}
        }
        try (OutputStream opened = connection.getOutputStream()) {
            if (asked.kind().equals("form")) {
                opened.write(asked.encoded().getBytes(StandardCharsets.US_ASCII));
            } else {
                try (InputStream content = asked.stream()) {
                    content.transferTo(opened);
                }
            }
        }
    }

    public static void main(String[] words) throws Exception {
        Lab.run(asked -> new UrlConnection());
    }
}
