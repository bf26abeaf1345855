import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.http.HttpEntity;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.entity.UrlEncodedFormEntity;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.FileEntity;
import org.apache.http.entity.InputStreamEntity;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.client.LaxRedirectStrategy;
import org.apache.http.message.BasicNameValuePair;
import org.apache.http.util.EntityUtils;

/** Apache HttpClient 4: as it does of itself; with the word {@code lax}, LaxRedirectStrategy. */
final class ApacheHttpClient4 implements Lab.Client {
    private final CloseableHttpClient client;

    ApacheHttpClient4(Lab.Case asked, boolean lax) {
        RequestConfig config = RequestConfig.custom()
                .setConnectTimeout(asked.millis())
                .setSocketTimeout(asked.millis())
                .setExpectContinueEnabled(asked.kind().equals("expect"))
                .build();
        HttpClientBuilder builder = HttpClientBuilder.create().setDefaultRequestConfig(config);
        client = (lax ? builder.setRedirectStrategy(LaxRedirectStrategy.INSTANCE) : builder).build();
    }

    @Override
    public Lab.Answer send(Lab.Case asked) throws IOException {
        RequestBuilder request = RequestBuilder.create(asked.method()).setUri(asked.url());
        asked.fields().forEach(field -> request.addHeader(field.name(), field.value()));
        HttpEntity content = content(asked);
        if (content != null) {
            request.setEntity(content);
        }
        HttpClientContext context = HttpClientContext.create();
        try (CloseableHttpResponse answer = client.execute(request.build(), context)) {
            EntityUtils.consume(answer.getEntity());
            List<URI> followed = context.getRedirectLocations();
            Object last = followed == null ? asked.url() : followed.get(followed.size() - 1);
            return new Lab.Answer(answer.getStatusLine().getStatusCode(), last);
        }
    }

    private static HttpEntity content(Lab.Case asked) throws IOException {
        ContentType type = asked.typed() ? ContentType.parse(asked.type()) : null;
        return switch (asked.kind()) {
            case "none" -> null;
            case "form" -> form(asked);
            case "multipart" -> multipart(asked);
            case "file" -> new FileEntity(asked.file().toFile(), type);
            case "stream" -> new InputStreamEntity(asked.stream(), type);
            case "chunked" -> {
                ByteArrayEntity octets = new ByteArrayEntity(asked.octets(), type);
                octets.setChunked(true);
                yield octets;
            }
            default -> new ByteArrayEntity(asked.octets(), type);
        };
    }

    private static HttpEntity form(Lab.Case asked) {
        List<BasicNameValuePair> pairs = asked.pairs().stream()
                .map(one -> new BasicNameValuePair(one.name(), one.value()))
                .toList();
        return new UrlEncodedFormEntity(pairs, StandardCharsets.UTF_8);
    }

    private static HttpEntity multipart(Lab.Case asked) {
        MultipartEntityBuilder form = MultipartEntityBuilder.create();
        for (Lab.Part part : asked.parts()) {
            if (part.filename().isEmpty()) {
                form.addTextBody(part.name(), part.text());
            } else {
                File file = part.file().toFile();
                form.addBinaryBody(part.name(), file, ContentType.parse(part.type()), part.filename());
            }
        }
        return form.build();
    }

    @Override
    public void close() throws IOException {
        client.close();
    }

    public static void main(String[] words) throws Exception {
        boolean lax = List.of(words).contains("lax");
        Lab.run(asked -> new ApacheHttpClient4(asked, lax));
    }
}
