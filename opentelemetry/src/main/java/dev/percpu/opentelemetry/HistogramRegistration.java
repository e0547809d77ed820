package dev.percpu.opentelemetry;

/** The registration of a histogram, which is exported until this is closed. */
@FunctionalInterface
public interface HistogramRegistration extends AutoCloseable {
    /** Ends the export. Closing again does nothing. */
    @Override
    void close();
}
