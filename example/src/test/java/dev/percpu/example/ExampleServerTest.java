package dev.percpu.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The server answers, and its metrics say how often it did. */
class ExampleServerTest {
    private ExampleServer server;

    @BeforeEach
    void start() throws IOException {
        server = ExampleServer.start(0);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private record Response(int status, String type, String body) {}

    private Response get(String path) throws IOException {
        return get(path, "*/*");
    }

    private Response get(String path, String accept) throws IOException {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + path);
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setRequestProperty("Accept", accept);
        int status = connection.getResponseCode();
        try (InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return new Response(
                    status, connection.getContentType(), new String(body.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    /** A response arrives a moment before its request is counted. */
    private long waitFor(String metric, long expected) throws IOException {
        while (true) {
            long value = (long) number(get("/metrics").body(), metric);
            if (value >= expected) {
                return value;
            }
        }
    }

    /** What a metric has in a scrape; 0 if it is not there. */
    private static double number(String metrics, String metric) {
        Matcher matcher = Pattern.compile("^" + Pattern.quote(metric) + " (\\S+)$", Pattern.MULTILINE)
                .matcher(metrics);
        return matcher.find() ? Double.parseDouble(matcher.group(1)) : 0;
    }

    @Test
    void metricsTotalWhatWasSent() throws Exception {
        int senders = 8;
        int each = 250;
        long start = System.nanoTime();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (int i = 0; i < senders; i++) {
                all.add(CompletableFuture.runAsync(
                        () -> {
                            try {
                                for (int n = 0; n < each; n++) {
                                    assertThat(get("/hello").status()).isEqualTo(200);
                                    assertThat(get("/work?micros=10").status()).isEqualTo(200);
                                }
                            } catch (IOException e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        threads));
            }
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get();
        }
        long sent = (long) senders * each;
        assertThat(waitFor("example_requests_total{path=\"/hello\",status=\"200\"}", sent))
                .isEqualTo(sent);
        assertThat(waitFor("example_requests_total{path=\"/work\",status=\"200\"}", sent))
                .isEqualTo(sent);
        assertThat(waitFor("example_request_duration_seconds_count{path=\"/work\"}", sent))
                .isEqualTo(sent);
        String metrics = get("/metrics").body();
        assertThat(metrics).contains("\nexample_requests_in_progress 0.0\n");
        // No request took longer than all of this test.
        double most = (System.nanoTime() - start) / 1e9;
        assertThat(number(metrics, "example_request_duration_seconds_sum{path=\"/work\"}"))
                .isBetween(sent * 10e-6, sent * most);
    }

    @Test
    void aRequestThatIsRefusedIsCountedWithItsStatus() throws Exception {
        for (String query : List.of("", "?micros=", "?micros=x", "?micros=-1", "?micros=100001", "?other=1")) {
            assertThat(get("/work" + query).status()).as(query).isEqualTo(400);
        }
        assertThat(waitFor("example_requests_total{path=\"/work\",status=\"400\"}", 6))
                .isEqualTo(6);
    }

    @Test
    void theLeastAndTheMostWorkAreDone() throws Exception {
        for (int micros : new int[] {0, 100_000}) {
            assertThat(get("/work?micros=" + micros).status())
                    .as("%d us", micros)
                    .isEqualTo(200);
        }
    }

    /**
     * The JDK's server sends a response to HEAD before the handler returns, so the handler notices. The client ends its
     * connection while the server works. On a slow machine it may be too late, and tries again.
     */
    @Test
    void aRequestWhoseClientIsGoneIsNotCountedAsAnswered() throws Exception {
        String failed = "example_requests_total{path=\"/work\",status=\"500\"} ";
        for (int attempt = 1; attempt <= 50; attempt++) {
            try (Socket client = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                client.setSoLinger(true, 0);
                client.getOutputStream()
                        .write("HEAD /work?micros=50000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                .getBytes(StandardCharsets.US_ASCII));
                String metrics;
                do {
                    metrics = get("/metrics").body();
                } while (!metrics.contains("example_requests_in_progress 1.0\n") && countedWork(metrics) < attempt);
            }
            String metrics;
            do {
                metrics = get("/metrics").body();
            } while (countedWork(metrics) < attempt);
            if (metrics.contains(failed)) {
                return;
            }
        }
        fail("each response was sent");
    }

    /** The requests for work, whatever their status. */
    private static long countedWork(String metrics) {
        return Pattern.compile("^example_requests_total\\{path=\"/work\".* (\\S+)$", Pattern.MULTILINE)
                .matcher(metrics)
                .results()
                .mapToLong(result -> (long) Double.parseDouble(result.group(1)))
                .sum();
    }

    @Test
    void thePageHasWhatItNeeds() throws Exception {
        Response page = get("/");
        assertThat(page.status()).isEqualTo(200);
        assertThat(page.type()).startsWith("text/html");
        assertThat(page.body()).contains("src=\"/chart.js\"", "fetch(\"/history\")");
        Response script = get("/chart.js");
        assertThat(script.type()).isEqualTo("text/javascript");
        assertThat(script.body()).contains("Chart.js");
        assertThat(get("/history").type()).isEqualTo("application/json");
    }

    /** The JDK's server gives a handler all paths that begin with its own. */
    @Test
    void aPathThatThereIsNotIsNotFound() throws Exception {
        for (String path : List.of("/nowhere", "/hellos", "/hello/", "/metrics2")) {
            assertThat(get(path).status()).as(path).isEqualTo(404);
        }
        assertThat(get("/metrics").body()).doesNotContain("example_requests_total{");
    }

    @Test
    void theHeadersAloneAreCountedAsAnswered() throws Exception {
        HttpURLConnection connection = (HttpURLConnection) URI.create("http://127.0.0.1:" + server.port() + "/hello")
                .toURL()
                .openConnection();
        connection.setRequestMethod("HEAD");
        assertThat(connection.getResponseCode()).isEqualTo(200);
        assertThat(connection.getContentLength()).isEqualTo("Hello, world!\n".length());
        String metrics;
        do {
            metrics = get("/metrics").body();
        } while (!metrics.contains("example_requests_total{"));
        assertThat(metrics).contains("example_requests_total{path=\"/hello\",status=\"200\"} 1.0\n");
    }

    @Test
    void theHistoryIsJsonInEachLocale() throws Exception {
        Locale before = Locale.getDefault(Locale.Category.FORMAT);
        Locale.setDefault(Locale.Category.FORMAT, Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            assertThat(get("/history").body()).matches("(?s)\\[\\{\"cpu\": [0-9]+, .*");
        } finally {
            Locale.setDefault(Locale.Category.FORMAT, before);
        }
    }

    @Test
    void theHistoryHasTheRequestsOfEachCpu() throws Exception {
        String history;
        // Until a second is over, here and below.
        do {
            history = get("/history").body();
        } while (!history.contains("\"rate\": [0"));
        assertThat(history).startsWith("[{\"cpu\": ").contains("\"micros\": [null");

        int micros = 20_000;
        // A count and its time are two numbers, which two samples or two CPUs can have. And on a slow machine a sample
        // may be of several seconds, in which one request is a rate of 0.
        do {
            assertThat(get("/work?micros=" + micros).status()).isEqualTo(200);
            history = get("/history").body();
        } while (greatestAverage(history) < micros || !history.matches("(?s).*\"rate\": \\[(\\d+, )*[1-9].*"));
    }

    private static long greatestAverage(String history) {
        return Pattern.compile("\"micros\": \\[([^\\]]*)\\]")
                .matcher(history)
                .results()
                .flatMap(cpu -> Stream.of(cpu.group(1).split(", ", -1)))
                .filter(average -> !average.equals("null"))
                .mapToLong(Long::parseLong)
                .max()
                .orElse(0);
    }

    @Test
    void openMetricsIsThereForWhoAsks() throws Exception {
        Response response = get("/metrics", "application/openmetrics-text;version=1.0.0");
        assertThat(response.body()).endsWith("# EOF\n");
    }

    /** With native histograms on, Prometheus asks for a format that the example does not have. */
    @Test
    void whoAsksForProtobufFirstGetsText() throws Exception {
        Response response = get(
                "/metrics",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,"
                        + "application/openmetrics-text;version=1.0.0;q=0.6,"
                        + "application/openmetrics-text;version=0.0.1;q=0.5,"
                        + "text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.type()).startsWith("text/plain");
        assertThat(response.body()).contains("\nexample_requests_in_progress 0.0\n");
    }

    @Test
    void aPortThatIsTakenIsRefused() {
        int taken = server.port();
        assertThatThrownBy(() -> ExampleServer.start(taken))
                .isInstanceOf(BindException.class)
                .hasMessage("port " + taken
                        + " cannot be used: Address already in use; choose another one with --port, or 0");
    }

    /** As for a user who may not listen on the lowest ports. */
    @Test
    void aPortThatIsForbiddenIsNotSaidToBeTaken() {
        assertThat(ExampleServer.unusable(80, new BindException("Permission denied")))
                .hasMessage("port 80 cannot be used: Permission denied; choose another one with --port, or 0");
    }
}
