/**
 * Counters and histograms kept per CPU, exported by OpenTelemetry's SDK: counters through {@link
 * dev.percpu.opentelemetry.PerCpuCallbacks}, histograms through a {@link
 * dev.percpu.opentelemetry.PerCpuMetricProducer}.
 */
@NullMarked
package dev.percpu.opentelemetry;

import org.jspecify.annotations.NullMarked;
