package dev.percpu.opentelemetry;

import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.metrics.data.AggregationTemporality;
import io.opentelemetry.sdk.metrics.data.HistogramData;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.MetricDataType;
import io.opentelemetry.sdk.resources.Resource;
import java.util.List;

/** What one collection gets of one metric. The SDK has no public way to make a {@link MetricData}. */
final class HistogramMetric implements MetricData {
    private final Resource resource;
    private final InstrumentationScopeInfo scope;
    private final HistogramSeries series;
    private final HistogramData data;

    HistogramMetric(
            Resource resource,
            InstrumentationScopeInfo scope,
            HistogramSeries series,
            AggregationTemporality temporality,
            List<HistogramPointData> points) {
        this.resource = resource;
        this.scope = scope;
        this.series = series;
        this.data = HistogramData.create(temporality, points);
    }

    @Override
    public Resource getResource() {
        return resource;
    }

    @Override
    public InstrumentationScopeInfo getInstrumentationScopeInfo() {
        return scope;
    }

    @Override
    public String getName() {
        return series.name();
    }

    @Override
    public String getDescription() {
        return series.description();
    }

    @Override
    public String getUnit() {
        return series.unit();
    }

    @Override
    public MetricDataType getType() {
        return MetricDataType.HISTOGRAM;
    }

    @Override
    public HistogramData getData() {
        return data;
    }

    @Override
    public String toString() {
        return getName() + ' ' + data;
    }
}
