package dev.percpu.micrometer;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.noop.NoopMeter;
import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.locks.LockSupport;
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

    /** In nanoseconds. Another thread may need this CPU to go on. */
    private static final long BRIEFLY = 1_000;

    /** A meter of the exporter's. */
    static final class Export {
        private final Meter meter;

        /** Null for a meter that is as the user asked for it. */
        private final @Nullable Merged merged;

        /** Why the exporter does not export it; null if it does. */
        private final @Nullable String refusal;

        /** How many meters in front it is for. */
        private int uses;

        /** Whether none is left, and the exporter only has to forget it. */
        private boolean isReleased;

        private Export(Meter meter, @Nullable Merged merged, @Nullable String refusal) {
            this.meter = meter;
            this.merged = merged;
            this.refusal = refusal;
        }

        Meter meter() {
            return meter;
        }

        @Nullable
        String refusal() {
            return refusal;
        }

        private boolean isOf(Merged.@Nullable Kind kind) {
            return merged == null ? kind == null : merged.kind() == kind;
        }
    }

    private final MeterRegistry exporter;

    /**
     * What the exporter has at the moment, by the meters' ids, as it has one meter for each. Synchronized, since the
     * exporter says what is removed from it while it holds its lock, so that this object's lock cannot be taken then.
     */
    private final Map<Meter.Id, Export> exports = Collections.synchronizedMap(new HashMap<>());

    /** What the exporter has added since the outermost of the registrations that are going on began. */
    private final Set<Meter> added = Collections.newSetFromMap(new IdentityHashMap<>());

    /** Why it does not export some of that: something else has the name in what it exports. */
    private final Map<Meter.Id, String> refusals = new HashMap<>();

    /** What the exporter has removed since then. Under the monitor of {@link #exports}. */
    private final Set<Meter> removed = Collections.newSetFromMap(new IdentityHashMap<>());

    /**
     * How many registrations are going on: a listener of the exporter's can make one within another. Written under this
     * object's lock and the monitor of {@link #exports}.
     */
    private int registrations;

    private Exports(MeterRegistry exporter) {
        this.exporter = exporter;
        exporter.config().onMeterAdded(meter -> {
            // An earlier meter with that id has gone. Nobody said so if a listener that comes before threw then. If it
            // stayed here, its release would take this one from the exporter, which removes by id.
            exports.remove(meter.getId());
            if (isRegistering()) {
                added.add(meter);
            }
        });
        exporter.config().onMeterRegistrationFailed((id, reason) -> {
            if (isRegistering()) {
                refusals.put(id, Objects.requireNonNullElse(reason, "the exporter does not say why"));
            }
        });
        exporter.config().onMeterRemoved(this::forget);
    }

    /**
     * Whether this thread is registering a meter. Other threads may add meters of their own meanwhile, and so may a
     * listener that is called during a release, which has the lock too.
     */
    private boolean isRegistering() {
        return Thread.holdsLock(this) && registrations > 0;
    }

    /**
     * Is called by any thread, after the exporter has removed the meter. The exporter's maps are read without its lock.
     * Under this monitor a registration either sees that the meter was removed, or it begins after that and does not
     * find it.
     */
    private void forget(Meter meter) {
        synchronized (exports) {
            Export export = of(meter);
            if (export != null) {
                exports.remove(meter.getId());
            }
            if (registrations > 0) {
                removed.add(meter);
            }
        }
    }

    /** What there is for a meter; null if there is nothing, or only for another meter with its id. */
    @SuppressWarnings("ReferenceEquality") // two meters with one id are equal
    private @Nullable Export of(Meter meter) {
        Export export = exports.get(meter.getId());
        return export != null && export.meter == meter ? export : null;
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
        try {
            Objects.requireNonNull(export.merged).add(meter, numbers);
        } catch (Throwable e) {
            releaseAfter(e, export, meter);
            throw e;
        }
        return export;
    }

    private synchronized Export register(@Nullable Merged merged, Supplier<Meter> registration) {
        synchronized (exports) {
            registrations++;
        }
        try {
            Export export = find(registration, merged);
            while (export == null) {
                // Another thread is about to remove it, or has done so since the exporter found it.
                LockSupport.parkNanos(BRIEFLY);
                export = find(registration, merged);
            }
            if (!export.isOf(merged == null ? null : merged.kind())) {
                throw taken(export.meter, "for another meter of a registry in front");
            }
            export.uses++;
            return export;
        } finally {
            synchronized (exports) {
                registrations--;
                if (registrations == 0) {
                    added.clear();
                    refusals.clear();
                    removed.clear();
                }
            }
        }
    }

    /** What there is for a meter that the exporter gives; null if the exporter does not have it any more. */
    private @Nullable Export find(Supplier<Meter> registration, @Nullable Merged merged) {
        Meter meter = registration.get();
        try {
            return find(meter, merged);
        } catch (Throwable e) {
            // Memory may have run out after the exporter had added the meter. Then nobody would release it, even if the
            // map has it, as a map adds an entry before it grows. Not under the monitor of exports: the exporter
            // removes under its own lock, and takes that monitor then.
            if (added.contains(meter)) {
                try {
                    Export export = of(meter);
                    if (export == null || export.uses == 0) {
                        Meter _ = exporter.remove(meter);
                    }
                } catch (Throwable later) {
                    suppress(e, later);
                }
            }
            throw e;
        }
    }

    private @Nullable Export find(Meter meter, @Nullable Merged merged) {
        String refusal = refusals.remove(meter.getId());
        synchronized (exports) {
            Export known = of(meter);
            if (removed.contains(meter) || (known != null && known.isReleased)) {
                return null;
            }
            if (known != null) {
                return known;
            }
            boolean isOurs = added.contains(meter);
            // A meter that the exporter denies is a new one each time, and nobody else's.
            if (merged != null && !isOurs && !(meter instanceof NoopMeter)) {
                throw taken(meter, "registered with it directly");
            }
            Export export = new Export(meter, merged, refusal);
            // Somebody else's stays theirs: it is not to be removed with the one in front. The exporter does not have
            // one that it denied. Kept here, that one's numbers would be reachable as long as the exporter.
            if (isOurs) {
                exports.put(meter.getId(), export);
            }
            return export;
        }
    }

    private static IllegalArgumentException taken(Meter meter, String how) {
        return new IllegalArgumentException("the exporter already has " + meter.getId() + ", " + how
                + ": give this meter another name or other tags");
    }

    /** Ends what was registered for a meter in front. With the last of them, the exporter's goes too. */
    synchronized void release(Export export, Meter meter) {
        if (export.merged != null) {
            export.merged.remove(meter);
        }
        export.uses--;
        // The exporter may have removed it by itself. Then a meter with that id is another one, and not ours to remove.
        // Nor is one that somebody else had registered before, nor one that the exporter denied.
        if (export.uses > 0 || of(export.meter) != export) {
            return;
        }
        // The exporter says when it is removed. If another thread is about to remove it, that is after this call.
        export.isReleased = true;
        try {
            if (exporter.remove(export.meter) == null && exporter.getMeters().contains(export.meter)) {
                // The exporter keeps it, so the next registration is not to wait until it is gone.
                export.isReleased = false;
            }
        } catch (Throwable e) {
            // If a listener that comes before this object's threw it, this one was not called.
            forget(export.meter);
            throw e;
        }
    }

    /** {@link #release} after a failure, which matters more than what this throws. */
    void releaseAfter(Throwable failure, Export export, Meter meter) {
        try {
            release(export, meter);
        } catch (Throwable e) {
            suppress(failure, e);
        }
    }

    @SuppressWarnings("ReferenceEquality") // an exception cannot suppress itself; an equal one it can
    private static void suppress(Throwable by, Throwable failure) {
        if (by != failure) {
            by.addSuppressed(failure);
        }
    }

    /** How many meters it has; for tests. */
    int size() {
        return exports.size();
    }
}
