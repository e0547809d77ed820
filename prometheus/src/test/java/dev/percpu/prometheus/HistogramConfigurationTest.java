package dev.percpu.prometheus;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.prometheus.metrics.config.MetricsProperties;
import io.prometheus.metrics.config.PrometheusProperties;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.GenerationMode;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** A histogram concludes from its builder and the client's configuration what the client's histogram concludes. */
class HistogramConfigurationTest {
    enum Only {
        NOTHING,
        NATIVE,
        CLASSIC,
        NOT_NATIVE,
        NOT_CLASSIC
    }

    enum Bounds {
        NOTHING,
        NONE,
        SOME
    }

    /** What one source says. */
    record Said(Only only, Bounds bounds, boolean schema) {
        /** As properties. Each source has a number, and by its bounds and its schema one sees which source decided. */
        MetricsProperties toProperties(int source) {
            MetricsProperties.Builder properties = MetricsProperties.builder();
            switch (only) {
                case NATIVE -> properties.histogramNativeOnly(true);
                case CLASSIC -> properties.histogramClassicOnly(true);
                case NOT_NATIVE -> properties.histogramNativeOnly(false);
                case NOT_CLASSIC -> properties.histogramClassicOnly(false);
                case NOTHING -> {}
            }
            if (bounds != Bounds.NOTHING) {
                properties.histogramClassicUpperBounds(upperBounds(source));
            }
            return properties
                    .histogramNativeInitialSchema(schema ? source : null)
                    .build();
        }

        double[] upperBounds(int source) {
            return bounds == Bounds.NONE ? new double[0] : new double[] {1, source};
        }
    }

    private static final int METRIC = 4;
    private static final int BUILDER = 3;
    private static final int DEFAULT = 2;

    private static Histogram.Builder ours(PrometheusProperties properties, Said said) {
        Histogram.Builder builder = Histogram.builder(properties).name("some");
        switch (said.only) {
            case NATIVE -> builder.nativeOnly();
            case CLASSIC -> builder.classicOnly();
            default -> {}
        }
        if (said.bounds != Bounds.NOTHING) {
            builder.classicUpperBounds(said.upperBounds(BUILDER));
        }
        return said.schema ? builder.nativeInitialSchema(BUILDER) : builder;
    }

    private static io.prometheus.metrics.core.metrics.Histogram clients(PrometheusProperties properties, Said said) {
        io.prometheus.metrics.core.metrics.Histogram.Builder builder =
                io.prometheus.metrics.core.metrics.Histogram.builder(properties).name("some");
        switch (said.only) {
            case NATIVE -> builder.nativeOnly();
            case CLASSIC -> builder.classicOnly();
            default -> {}
        }
        if (said.bounds != Bounds.NOTHING) {
            builder.classicUpperBounds(said.upperBounds(BUILDER));
        }
        return (said.schema ? builder.nativeInitialSchema(BUILDER) : builder).build();
    }

    /** All combinations. Where the client's histogram fails with every scrape, ours is refused when it is built. */
    @Property(generation = GenerationMode.EXHAUSTIVE)
    void whicheverSourcesSayIt(
            @ForAll("inConfiguration") Said ofMetric,
            @ForAll("byBuilder") Said byBuilder,
            @ForAll("inConfiguration") Said byDefault) {
        PrometheusProperties properties = PrometheusProperties.builder()
                .putMetricProperty("some", ofMetric.toProperties(METRIC))
                .defaultMetricsProperties(byDefault.toProperties(DEFAULT))
                .build();
        io.prometheus.metrics.core.metrics.Histogram clients = clients(properties, byBuilder);
        clients.observe(1.5);
        Histogram.Builder builder = ours(properties, byBuilder);
        if (catchThrowable(clients::collect) instanceof IllegalArgumentException) {
            assertThatIllegalArgumentException()
                    .isThrownBy(builder::build)
                    .withMessageContaining("some")
                    .withMessageContaining("neither");
        } else {
            Histogram ours = builder.build();
            ours.observe(1.5);
            HistogramTest.verifySame(HistogramTest.ours(ours), HistogramTest.clients(clients));
        }
    }

    @Provide
    Arbitrary<Said> inConfiguration() {
        return said(Only.values());
    }

    /** A builder cannot be told what not to do. */
    @Provide
    Arbitrary<Said> byBuilder() {
        return said(Only.NOTHING, Only.NATIVE, Only.CLASSIC);
    }

    private static Arbitrary<Said> said(Only... only) {
        return Combinators.combine(Arbitraries.of(only), Arbitraries.of(Bounds.values()), Arbitraries.of(true, false))
                .as(Said::new);
    }
}
