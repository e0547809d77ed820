package dev.percpu.benchmarks.programs;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.percpu.benchmarks.measure.Child;
import dev.percpu.benchmarks.measure.Role;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.datapoints.GaugeDataPoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How many requests does a server answer that measures itself, and how long does one take, with each kind of metrics?
 *
 * <pre>
 * java -jar benchmarks/target/benchmarks.jar --curves HTTP
 * </pre>
 *
 * <p>It is the JDK's HTTP server on virtual threads, with a counter, a gauge of requests in progress and a histogram of
 * their latency, as Prometheus' client has them. The load generator {@code wrk} sends it requests over 16 connections,
 * on the same machine and so on the same CPUs. The counter must have counted what wrk says that it sent.
 */
final class ServerProgram implements Program {
    private static final String NONE = "no metrics";
    private static final String CLIENT = "the Prometheus client";
    private static final String PER_CPU = "`percpu-prometheus`";

    private static final Pattern RATE = Pattern.compile("Requests/sec: +([0-9.]+)");
    private static final Pattern REQUESTS = Pattern.compile("([0-9]+) requests in ");
    private static final Pattern FAILURES = Pattern.compile("Socket errors: .*|Non-2xx or 3xx responses: .*");
    private static final Pattern MEDIAN = Pattern.compile(" 50% +([0-9.]+)(us|ms|s)");
    private static final Pattern P99 = Pattern.compile(" 99% +([0-9.]+)(us|ms|s)");
    private static final double NANOS_PER_SECOND = 1e9;
    private static final int OK = 200;
    private static final int CONNECTIONS = 16;
    private static final byte[] GREETING = "Hello, world!\n".getBytes(StandardCharsets.UTF_8);

    /** What is measured of a request. */
    private record Metrics(CounterDataPoint requests, GaugeDataPoint inProgress, DistributionDataPoint seconds) {
        static @Nullable Metrics of(String variant) {
            return switch (variant) {
                case CLIENT ->
                    new Metrics(
                            io.prometheus.metrics.core.metrics.Counter.builder()
                                    .name("requests_total")
                                    .labelNames("path")
                                    .build()
                                    .labelValues("/hello"),
                            io.prometheus.metrics.core.metrics.Gauge.builder()
                                    .name("requests_in_progress")
                                    .build(),
                            io.prometheus.metrics.core.metrics.Histogram.builder()
                                    .name("request_duration_seconds")
                                    .labelNames("path")
                                    .build()
                                    .labelValues("/hello"));
                case PER_CPU ->
                    new Metrics(
                            dev.percpu.prometheus.Counter.builder()
                                    .name("requests_total")
                                    .labelNames("path")
                                    .build()
                                    .labelValues("/hello"),
                            dev.percpu.prometheus.Gauge.builder()
                                    .name("requests_in_progress")
                                    .build(),
                            dev.percpu.prometheus.Histogram.builder()
                                    .name("request_duration_seconds")
                                    .labelNames("path")
                                    .build()
                                    .labelValues("/hello"));
                default -> null;
            };
        }

        /** Checks that each request was counted. Those that are on their way when a wrk ends are none of its own. */
        private void check(String variant, long sent, int onTheirWay) {
            long counted = requests.getLongValue();
            if (counted < sent
                    || counted > sent + onTheirWay
                    || seconds.getCount() != counted
                    || inProgress.get() != 0) {
                throw new IllegalStateException(variant + " counted " + counted + " requests of " + sent + ", "
                        + seconds.getCount() + " times, and " + inProgress.get() + " in progress");
            }
        }
    }

    @Override
    public String title() {
        return "HTTP server";
    }

    @Override
    public List<String> variants() {
        return List.of(NONE, CLIENT, PER_CPU);
    }

    @Override
    public Role.Kind role(String variant) {
        return variant.equals(NONE) ? Role.Kind.FLOOR : Program.super.role(variant);
    }

    @Override
    public Result run(String variant, Timing timing) throws IOException, InterruptedException {
        // Without it a response waits up to 40 ms for the acknowledgement of the one before it.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Metrics metrics = Metrics.of(variant);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/hello", exchange -> serve(exchange, metrics));
        List<String> outputs = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            server.setExecutor(threads);
            server.start();
            try {
                String address = "http://127.0.0.1:" + server.getAddress().getPort() + "/hello";
                timing.warmUp(time -> outputs.add(load(address, time)));
                outputs.add(load(address, timing.measured()));
            } finally {
                server.stop(0);
            }
        }
        // Now that no request is served any more.
        long sent = outputs.stream().mapToLong(ServerProgram::requests).sum();
        if (metrics != null) {
            metrics.check(variant, sent, outputs.size() * CONNECTIONS);
        }
        return parse(outputs.getLast());
    }

    private static void serve(HttpExchange exchange, @Nullable Metrics metrics) throws IOException {
        if (metrics == null) {
            respond(exchange);
            return;
        }
        long start = System.nanoTime();
        metrics.inProgress.inc();
        try {
            respond(exchange);
        } finally {
            metrics.seconds.observe((System.nanoTime() - start) / NANOS_PER_SECOND);
            metrics.inProgress.dec();
            metrics.requests.inc();
        }
    }

    private static void respond(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(OK, GREETING.length);
            exchange.getResponseBody().write(GREETING);
        }
    }

    /** What wrk prints. Its times are whole seconds. */
    private static String load(String address, Duration time) throws IOException, InterruptedException {
        long seconds = Math.max(1, time.toSeconds());
        return Child.output(List.of("wrk", "-t1", "-c" + CONNECTIONS, "-d" + seconds + "s", "--latency", address));
    }

    /** How many requests were answered; all of them must have been answered well. */
    static long requests(String output) {
        Matcher failures = FAILURES.matcher(output);
        if (failures.find()) {
            throw new IllegalStateException("wrk tells of failures: " + failures.group());
        }
        return Long.parseLong(found(REQUESTS, output).group(1));
    }

    /** Reads what wrk printed. */
    static Result parse(String output) {
        return new Result(
                Double.parseDouble(found(RATE, output).group(1)),
                nanos(found(MEDIAN, output)),
                nanos(found(P99, output)));
    }

    private static Matcher found(Pattern pattern, String output) {
        Matcher matcher = pattern.matcher(output);
        if (!matcher.find()) {
            throw new IllegalStateException("wrk printed nothing like " + pattern + ", but: " + output);
        }
        return matcher;
    }

    private static double nanos(Matcher time) {
        double number = Double.parseDouble(time.group(1));
        return switch (time.group(2).toLowerCase(Locale.ROOT)) {
            case "us" -> number * 1e3;
            case "ms" -> number * 1e6;
            default -> number * NANOS_PER_SECOND;
        };
    }
}
