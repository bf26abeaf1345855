import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import okhttp3.FormBody;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.BufferedSink;
import okio.Okio;
import okio.Source;

/** OkHttp: an OkHttpClient, redirects followed as it does of itself. */
final class OkHttp implements Lab.Client {
    private final OkHttpClient client;

    OkHttp(Lab.Case asked) {
        client = new OkHttpClient.Builder()
                .callTimeout(asked.millis(), TimeUnit.MILLISECONDS)
                .build();
    }

    @Override
    public Lab.Answer send(Lab.Case asked) throws Exception {
        Request.Builder request = new Request.Builder().url(asked.url());
        for (Lab.Pair field : asked.fields()) {
            request.addHeader(field.name(), field.value());
        }
        if (asked.api().equals("websocket")) {
            return upgraded(request.build());
        }
        if (asked.kind().equals("expect")) {
            request.header("Expect", "100-continue");
        }
        RequestBody content = content(asked);
        try {
            request.method(asked.method(), content);
        } catch (IllegalArgumentException refused) { // "method POST must have a request body."
            throw new Lab.Unsupported(refused.getMessage());
        }
        try (Response answer = client.newCall(request.build()).execute()) {
            answer.body().bytes();
            return new Lab.Answer(answer.code(), answer.request().url());
        }
    }

    private static RequestBody content(Lab.Case asked) throws IOException {
        MediaType type = asked.typed() ? MediaType.get(asked.type()) : null;
        return switch (asked.kind()) {
            case "none" -> null;
            case "form" -> form(asked);
            case "multipart" -> multipart(asked);
            case "file" -> RequestBody.create(type, asked.file().toFile());
            case "stream" -> new Once(type, asked.stream());
            case "chunked" -> new Unmeasured(type, asked.octets());
            default -> RequestBody.create(type, asked.octets());
        };
    }

    private static RequestBody form(Lab.Case asked) {
        FormBody.Builder form = new FormBody.Builder();
        asked.pairs().forEach(one -> form.add(one.name(), one.value()));
        return form.build();
    }

    private static RequestBody multipart(Lab.Case asked) {
        MultipartBody.Builder form = new MultipartBody.Builder().setType(MultipartBody.FORM);
        for (Lab.Part part : asked.parts()) {
            if (part.filename().isEmpty()) {
                form.addFormDataPart(part.name(), part.text());
            } else {
                RequestBody file = RequestBody.create(MediaType.get(part.type()), part.file().toFile());
                form.addFormDataPart(part.name(), part.filename(), file);
            }
        }
        return form.build();
    }

    /** Octets of which nobody is told how many. */
    private static final class Unmeasured extends RequestBody {
        private final MediaType type;
        private final byte[] octets;

        Unmeasured(MediaType type, byte[] octets) {
            this.type = type;
            this.octets = octets;
        }

        @Override
        public MediaType contentType() {
            return type;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            sink.write(octets);
        }
    }

    /** A stream, which can be read once. */
    private static final class Once extends RequestBody {
        private final MediaType type;
        private final InputStream stream;

        Once(MediaType type, InputStream stream) {
            this.type = type;
            this.stream = stream;
        }

        @Override
        public MediaType contentType() {
            return type;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            try (Source source = Okio.source(stream)) {
                sink.writeAll(source);
            }
        }
    }

    private Lab.Answer upgraded(Request request) throws Exception {
        CompletableFuture<Lab.Answer> answered = new CompletableFuture<>();
        client.newWebSocket(request, new WebSocketListener() {
            @Override
            public void onOpen(WebSocket socket, Response answer) {
                answered.complete(new Lab.Answer(answer.code(), answer.request().url()));
            }

            @Override
            public void onFailure(WebSocket socket, Throwable error, Response answer) {
                if (answer == null) {
                    answered.completeExceptionally(error);
                } else {
                    onOpen(socket, answer);
                }
            }
        });
        return answered.get();
    }

    @Override
    public void close() {
        client.dispatcher().executorService().shutdown();
        client.connectionPool().evictAll();
    }

    public static void main(String[] words) throws Exception {
        Lab.run(OkHttp::new);
    }
}
