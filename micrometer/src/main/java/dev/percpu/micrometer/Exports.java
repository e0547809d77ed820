package dev.percpu.micrometer;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.noop.NoopMeter;
import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What an exporter has for the meters of the registries in front of it. There is one for each exporter, which keeps
 * it reachable.
 *
 * <p>Whoever registers a function meter under an id that the exporter has already gets the earlier one, and its
 * function would never be called. The exporter's filters decide what the id is, so only what comes back tells. So each
 * function reads a {@link Merged}, and a meter whose registration brought an earlier one back is added to that one's.
 *
 * <p>Locks are taken in this order: that of the registry in front, this object's, the exporter's.
 */
final class Exports {
    private static final Map<MeterRegistry, WeakReference<Exports>> OF_EXPORTERS = new WeakHashMap<>();

    /** A meter of the exporter's. */
    static final class Export {
        private final Meter meter;

        /** Null for a meter that is as the user asked for it. */
        private final @Nullable Merged merged;

        /** How many meters in front it is for. */
        private int uses;

        private Export(Meter meter, @Nullable Merged merged) {
            this.meter = meter;
            this.merged = merged;
        }

        Meter meter() {
            return meter;
        }

        private boolean isOf(Merged.@Nullable Kind kind) {
            return merged == null ? kind == null : merged.kind() == kind;
        }
    }

    private final MeterRegistry exporter;

    /**
     * What the exporter has at the moment. Synchronized, since the exporter says what is removed from it while it holds
     * its lock, so that this object's lock cannot be taken then.
     */
    private final Map<Meter, Export> exports = Collections.synchronizedMap(new IdentityHashMap<>());

    /** What the exporter has added since the outermost of the registrations that are going on began. */
    private final Set<Meter> added = Collections.newSetFromMap(new IdentityHashMap<>());

    /** How many registrations are going on: a listener of the exporter's can make one within another. */
    private int registrations;

    private Exports(MeterRegistry exporter) {
        this.exporter = exporter;
        exporter.config().onMeterAdded(meter -> {
            // Other threads may add meters of their own meanwhile.
            if (Thread.holdsLock(this)) {
                added.add(meter);
            }
        });
        exporter.config().onMeterRemoved(exports::remove);
    }

    static Exports of(MeterRegistry exporter) {
        synchronized (OF_EXPORTERS) {
            WeakReference<Exports> known = OF_EXPORTERS.get(exporter);
            Exports exports = known == null ? null : known.get();
            if (exports == null) {
                exports = new Exports(exporter);
                OF_EXPORTERS.put(exporter, new WeakReference<>(exports));
            }
            return exports;
        }
    }

    /**
     * Registers a meter as the user asked for it. If there is one already, Micrometer's rules decide. The exporter is
     * asked under this object's lock, so that no other registry in front removes what is found there.
     */
    Export pass(Supplier<Meter> registration) {
        return register(null, registration);
    }

    /**
     * Registers a meter that shows numbers of one in front, or adds that one to those that it shows already.
     *
     * @throws IllegalArgumentException if the exporter has something else under that id
     */
    synchronized Export merge(
            Merged.Kind kind, Meter meter, Function<Merged, Meter> registration, DoubleSupplier... numbers) {
        Merged merged = new Merged(kind, numbers.length);
        Export export = register(merged, () -> registration.apply(merged));
        Objects.requireNonNull(export.merged).add(meter, numbers);
        return export;
    }

    private synchronized Export register(@Nullable Merged merged, Supplier<Meter> registration) {
        registrations++;
        try {
            Meter meter = registration.get();
            Export export = exports.get(meter);
            if (export == null) {
                if (merged != null && !added.contains(meter) && !(meter instanceof NoopMeter)) {
                    throw taken(meter, "that was registered with it directly");
                }
                export = new Export(meter, merged);
                exports.put(meter, export);
            } else if (!export.isOf(merged == null ? null : merged.kind())) {
                throw taken(meter, "for another meter of this registry");
            }
            export.uses++;
            return export;
        } finally {
            registrations--;
            if (registrations == 0) {
                added.clear();
            }
        }
    }

    private static IllegalArgumentException taken(Meter meter, String how) {
        return new IllegalArgumentException(
                "the exporter already has " + meter.getId() + ", " + how + ", so that name is taken: choose another");
    }

    /** Ends what was registered for a meter in front. With the last of them, the exporter's goes too. */
    synchronized void release(Export export, Meter meter) {
        if (export.merged != null) {
            export.merged.remove(meter);
        }
        export.uses--;
        // The exporter may have removed it by itself, or never had it, as it denied it. Then a meter with that id is
        // another one, and not ours to remove.
        if (export.uses == 0 && exports.remove(export.meter, export) && !(export.meter instanceof NoopMeter)) {
            Meter _ = exporter.remove(export.meter);
        }
    }

    /** How many meters it has; for tests. */
    int size() {
        return exports.size();
    }
}
