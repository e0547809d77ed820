package dev.percpu.example;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The JDK's own HTTP server, a virtual thread for each request.
 *
 * <pre>
 * /hello            a greeting
 * /work?micros=N    computes for so long, at most 100,000 us
 * /metrics          for Prometheus
 * /                 the status page, with /chart.js and /history
 * </pre>
 *
 * <p>It listens on the loopback interface only.
 */
final class ExampleServer implements AutoCloseable {
    private static final long MOST_MICROS = 100_000;
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int FAILED = 500;
    private static final int NOT_FOUND = 404;
    private static final int NO_BODY = -1;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final ExpositionFormats formats = ExpositionFormats.init();
    private final Metrics metrics = new Metrics(registry);
    private final History history = new History(metrics);
    private final Map<String, HttpHandler> handlers = new HashMap<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer server;

    /** What is sent back. */
    private static final class Response {
        private final int status;
        private final String type;
        private final byte[] body;

        Response(int status, String type, byte[] body) {
            this.status = status;
            this.type = type;
            this.body = body;
        }

        static Response of(int status, String text) {
            return new Response(status, TEXT, text.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** What makes a response. */
    private interface Handler {
        Response handle(HttpExchange exchange) throws IOException;
    }

    private ExampleServer(HttpServer server) {
        this.server = server;
        measured("/hello", _ -> Response.of(OK, "Hello, world!\n"));
        measured("/work", ExampleServer::work);
        unmeasured("/metrics", this::scrape);
        unmeasured(
                "/history",
                _ -> new Response(OK, "application/json", history.json().getBytes(StandardCharsets.UTF_8)));
        unmeasured("/chart.js", _ -> new Response(OK, "text/javascript", resource("chart.umd.min.js")));
        unmeasured("/", _ -> new Response(OK, "text/html; charset=utf-8", resource("status.html")));
        // One context for all paths: with one for each, the JDK's server would take "/hellos" for "/hello".
        server.createContext(
                "/",
                exchange -> handlers.getOrDefault(exchange.getRequestURI().getPath(), ExampleServer::refuse)
                        .handle(exchange));
        server.setExecutor(threads);
    }

    /**
     * Starts a server.
     *
     * @param port 0 for any that is free
     * @throws BindException if the port is taken, or if this user may not listen on it
     */
    static ExampleServer start(int port) throws IOException {
        // Without it a response waits up to 40 ms for the acknowledgement of the one before it.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        HttpServer server;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        } catch (BindException e) {
            throw unusable(port, e);
        }
        ExampleServer started = new ExampleServer(server);
        started.history.start();
        server.start();
        return started;
    }

    /** Says which port it was, and what to do. */
    static BindException unusable(int port, BindException reason) {
        BindException explained = new BindException(
                "port " + port + " cannot be used: " + reason.getMessage() + "; choose another one with --port, or 0");
        explained.initCause(reason);
        return explained;
    }

    int port() {
        return server.getAddress().getPort();
    }

    private void measured(String path, Handler handler) {
        handlers.put(path, exchange -> {
            long start = System.nanoTime();
            // Unless there is a response. The client may be gone before it has it.
            int status = FAILED;
            metrics.begin();
            try {
                status = respond(exchange, handler);
            } finally {
                metrics.end(path, status, System.nanoTime() - start);
            }
        });
    }

    private void unmeasured(String path, Handler handler) {
        handlers.put(path, exchange -> respond(exchange, handler));
    }

    private static void refuse(HttpExchange exchange) throws IOException {
        respond(
                exchange,
                _ -> Response.of(
                        NOT_FOUND, "there is no " + exchange.getRequestURI().getPath() + "\n"));
    }

    private static int respond(HttpExchange exchange, Handler handler) throws IOException {
        try (exchange) {
            Response response = handler.handle(exchange);
            exchange.getResponseHeaders().set("Content-Type", response.type);
            if (exchange.getRequestMethod().equals("HEAD")) {
                // The headers of the answer to a GET. To write a body would fail.
                exchange.getResponseHeaders().set("Content-Length", Integer.toString(response.body.length));
                exchange.sendResponseHeaders(response.status, NO_BODY);
            } else {
                exchange.sendResponseHeaders(response.status, response.body.length);
                exchange.getResponseBody().write(response.body);
            }
            return response.status;
        }
    }

    /** Computes for as long as was asked for. */
    private static Response work(HttpExchange exchange) {
        String query = exchange.getRequestURI().getQuery();
        long micros;
        try {
            micros = query != null && query.startsWith("micros=")
                    ? Long.parseLong(query, "micros=".length(), query.length(), 10)
                    : -1;
        } catch (NumberFormatException e) {
            micros = -1;
        }
        if (micros < 0 || micros > MOST_MICROS) {
            return Response.of(BAD_REQUEST, "ask for /work?micros=N with N from 0 to " + MOST_MICROS + "\n");
        }
        long end = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(micros);
        long rounds = 0;
        while (System.nanoTime() - end < 0) {
            rounds++;
        }
        return Response.of(OK, rounds + "\n");
    }

    private Response scrape(HttpExchange exchange) throws IOException {
        ExpositionFormatWriter writer =
                formats.findWriter(exchange.getRequestHeaders().getFirst("Accept"));
        if (!writer.isAvailable()) {
            // Protobuf, which a Prometheus with native histograms asks for first, needs another library.
            writer = formats.getPrometheusTextFormatWriter();
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        writer.write(body, registry.scrape());
        return new Response(OK, writer.getContentType(), body.toByteArray());
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = ExampleServer.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("the resource " + name + " is not in the jar: build it again");
            }
            return in.readAllBytes();
        }
    }

    /** Ends it; requests that are being answered may be cut off. */
    @Override
    public void close() {
        server.stop(0);
        history.close();
        threads.shutdownNow();
    }
}
