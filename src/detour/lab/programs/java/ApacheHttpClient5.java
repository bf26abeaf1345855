import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.entity.UrlEncodedFormEntity;
import org.apache.hc.client5.http.entity.mime.MultipartEntityBuilder;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.FileEntity;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.apache.hc.core5.http.message.BasicNameValuePair;
import org.apache.hc.core5.util.Timeout;

/** Apache HttpClient 5: redirects followed as it does of itself. */
final class ApacheHttpClient5 implements Lab.Client {
    private final CloseableHttpClient client;

    ApacheHttpClient5(Lab.Case asked) {
        Timeout timeout = Timeout.ofMilliseconds(asked.millis());
        RequestConfig config = RequestConfig.custom()
                .setConnectTimeout(timeout)
                .setResponseTimeout(timeout)
                .setExpectContinueEnabled(asked.kind().equals("expect"))
                .build();
        client = HttpClientBuilder.create().setDefaultRequestConfig(config).build();
    }

    @Override
    public Lab.Answer send(Lab.Case asked) throws IOException {
        HttpUriRequestBase request = new HttpUriRequestBase(asked.method(), URI.create(asked.url()));
        asked.fields().forEach(field -> request.addHeader(field.name(), field.value()));
        request.setEntity(content(asked));
        HttpClientContext context = HttpClientContext.create();
        return client.execute(request, context, answer -> {
            EntityUtils.consume(answer.getEntity());
            List<URI> followed = context.getRedirectLocations().getAll();
            Object last = followed.isEmpty() ? asked.url() : followed.get(followed.size() - 1);
            return new Lab.Answer(answer.getCode(), last);
        });
    }

    private static HttpEntity content(Lab.Case asked) throws IOException {
        ContentType type = asked.typed() ? ContentType.parse(asked.type()) : null;
        return switch (asked.kind()) {
            case "none" -> null;
            case "form" -> form(asked);
            case "multipart" -> multipart(asked);
            case "file" -> new FileEntity(asked.file().toFile(), type);
            case "stream" -> new InputStreamEntity(asked.stream(), type);
            case "chunked" -> new ByteArrayEntity(asked.octets(), type, true);
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
        Lab.run(ApacheHttpClient5::new);
    }
}
