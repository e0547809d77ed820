package dev.percpu.concurrent;

import dev.percpu.cpu.CpuId;
import dev.percpu.internal.failure.Failures;
import dev.percpu.internal.guard.Ownership;
import dev.percpu.internal.protocol.StackRoom;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The objects of a pool, by id, from the factory to the destroy hook. {@link PerCpuPool} inherits this class instead of
 * having it in a field: a field would cost one load more for each acquisition and release.
 */
abstract class PooledObjects<T> extends PaddedInFront {
    /*
     * PooledIds hands out the ids of entries, since sequences can move numbers and not references. This class has the
     * objects, by id, and calls the hooks. The thread that has an id writes its entry.
     *
     * A stack overflow can interrupt each step, also one that cleans up after another. So a thread that fails to
     * destroy an object marks the entry as "unfinished", by two stores to fields, which cannot fail. It does so in
     * the method that has begun. The next thread that looks goes on. The thread must not set the mark before it
     * tries: another thread could then take the object while the first one is at work on it, and call the destroy
     * hook in its place.
     *
     * Before a thread begins, it looks for enough stack, or else the destroy hook could fail to be called at all. A
     * vacant entry keeps its last handle, with the state GONE: that detects an id that comes from a stack after its
     * object was destroyed.
     */
    private static final VarHandle UNFINISHED;

    private static final VarHandle ANY_UNFINISHED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            UNFINISHED = lookup.findVarHandle(PooledFields.class, "unfinished", boolean.class);
            ANY_UNFINISHED = lookup.findVarHandle(PooledIds.class, "unfinished", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
        // Not in the first acquisition or search, which may come when the heap is full.
        CpuId _ = CpuId.current();
        Ownership.initialize();
    }

    private final Function<? super Pooled<T>, ? extends T> factory;
    private final @Nullable Consumer<? super T> reset;
    private final @Nullable Consumer<? super T> destroy;
    private final boolean keepsHandles;
    final @Nullable Pooled<T>[] entries;
    final PooledIds ids;
    final AtomicLong made = new AtomicLong();
    final AtomicLong destroyed = new AtomicLong();

    PooledObjects(PoolBuilder<T> builder) {
        if (CheckedMode.ON) {
            Acquisition.initialize();
        }
        factory = builder.factory;
        reset = builder.reset;
        destroy = builder.destroy;
        keepsHandles = builder.keepsHandles;
        entries = newEntries(builder.capacity);
        ids = builder.ids();
    }

    /**
     * Releases the object of the pool's own handle.
     *
     * @param unlessDiscarded whether to do nothing if its holder has discarded it
     */
    final void release(Pooled<T> entry, boolean unlessDiscarded) {
        if (entry.state != Pooled.HELD) {
            if (!unlessDiscarded || !entry.discarded) {
                resume(entry);
            } else if (entry.unfinished) {
                finish(entry);
            }
            return;
        }
        if (CheckedMode.ON) {
            // Once the object is given back, the stack must not overflow before its handle has ended. Such a handle
            // would still work while the next holder's is being made, and would be reported as lost.
            StackRoom.CURRENT.ensure();
        }
        if (reset != null) {
            reset(reset, entry);
        }
        Acquisition<T> ending = CheckedMode.ON ? entry.acquisition : null;
        int left = ids.give(entry);
        try {
            // Before the handle ends: ending it allocates and so can fail, and then nobody would destroy this object.
            if (left >= 0) {
                retire(entries[left]);
            }
        } finally {
            // Whoever destroys this object ends its handle then. If that failed, its holder can still repeat this.
            if (CheckedMode.ON && ending != null && left != entry.id) {
                ending.end();
            }
        }
    }

    /** Destroys an object that is held. */
    final void discard(Pooled<T> entry) {
        if (entry.state == Pooled.HELD) {
            try {
                retire(entry);
            } finally {
                // An error may have come before the first step.
                entry.discarded = entry.state != Pooled.HELD;
            }
        } else {
            // A release was broken off. Not set afterwards: a close does nothing even if the destroy hook throws.
            entry.discarded |= entry.unfinished;
            resume(entry);
        }
    }

    /** What a release does if the object is not held. */
    private void resume(Pooled<T> entry) {
        if (entry.unfinished) {
            finish(entry);
            return;
        }
        throw entry.notHeld();
    }

    final Pooled<T> make(int id) {
        Pooled<T> entry;
        try {
            entry = new Pooled<>(this, id);
        } catch (Throwable t) {
            ids.vacate(id);
            throw t;
        }
        entries[id] = entry;
        try {
            // Nothing is called or allocated until the entry has the object: an error would lose it undestroyed.
            entry.object = factory.apply(entry);
            if (entry.object == null) {
                throw new NullPointerException("the factory of " + this + " returned null");
            }
            made.incrementAndGet();
        } catch (Throwable t) {
            try {
                alsoDestroy(entry, t);
            } finally {
                if (entry.state == Pooled.LEAVING) {
                    entry.unfinished = true;
                    ids.unfinished = true;
                }
            }
            throw t;
        }
        entry.state = Pooled.HELD;
        return entry;
    }

    /**
     * Creates the handle of this acquisition, in checked mode. If that fails, the object has to be destroyed. The
     * caller has looked for room on the stack.
     */
    final Pooled<T> lent(Pooled<T> entry) {
        Pooled<T> handle = null;
        try {
            handle = Acquisition.begin(entry, !keepsHandles);
            return handle;
        } finally {
            if (handle == null) {
                entry.state = Pooled.LEAVING;
                entry.unfinished = true;
                ids.unfinished = true;
                // In a pool that is closed nobody looks for an unfinished object, unless it is closed or trimmed once
                // more.
                if (ids.closed) {
                    finish(entry);
                }
            }
        }
    }

    private void reset(Consumer<? super T> hook, Pooled<T> entry) {
        entry.state = Pooled.LEAVING;
        try {
            hook.accept(entry.object());
            // If giving it back fails, the object is held and can be released again.
            entry.state = Pooled.HELD;
        } catch (Throwable t) {
            try {
                alsoDestroy(entry, t);
            } finally {
                if (entry.state == Pooled.LEAVING) {
                    entry.unfinished = true;
                    ids.unfinished = true;
                }
            }
            throw t;
        }
    }

    /** Destroys an object whose id the caller has, and frees its entry. */
    final void retire(@Nullable Pooled<T> entry) {
        if (entry != null) {
            entry.state = Pooled.LEAVING;
            try {
                destroy(entry);
            } finally {
                if (entry.state == Pooled.LEAVING) {
                    entry.unfinished = true;
                    ids.unfinished = true;
                }
            }
        }
    }

    private void alsoDestroy(Pooled<T> entry, Throwable cause) {
        try {
            destroy(entry);
        } catch (Throwable alsoThrown) {
            Failures failures = new Failures();
            failures.add(alsoThrown);
            failures.addTo(cause);
        }
    }

    /** Destroys an object that is {@link PooledFields#unfinished}, unless another thread does. */
    private void finish(Pooled<T> entry) {
        boolean mine = false;
        try {
            StackRoom.CURRENT.ensure();
            mine = UNFINISHED.compareAndSet((PooledFields<?>) entry, true, false);
            if (mine) {
                destroy(entry);
            }
        } finally {
            if (mine && entry.state == Pooled.LEAVING) {
                entry.unfinished = true;
                ids.unfinished = true;
            }
        }
    }

    /**
     * Destroys an object that is leaving. If this cannot begin, or the entry cannot become vacant, it is still leaving.
     */
    private void destroy(Pooled<T> entry) {
        StackRoom.CURRENT.ensure();
        T object = entry.object;
        if (object != null) {
            destroyed.incrementAndGet();
            entry.object = null;
        }
        try {
            if (object != null && destroy != null) {
                destroy.accept(object);
            }
        } finally {
            Acquisition<T> ending = CheckedMode.ON ? entry.acquisition : null;
            // Not earlier, or there could be one object too many.
            ids.vacate(entry);
            if (CheckedMode.ON && ending != null) {
                ending.end();
            }
        }
    }

    /** Finishes what is {@link PooledFields#unfinished}. If this throws, the next thread looks again. */
    final void finishAll() {
        boolean finished = false;
        try {
            // The flag is cleared before the look, as another thread may leave an entry unfinished after it. By an
            // exchange and not a store: a thread marks its entry first and sets this flag second, so the look then sees
            // the mark.
            boolean _ = (boolean) ANY_UNFINISHED.getAndSet(ids, false);
            Failures failures = new Failures();
            for (Pooled<T> entry : entries) {
                if (entry != null && entry.unfinished) {
                    try {
                        finish(entry);
                    } catch (Throwable t) {
                        failures.add(t);
                    }
                }
            }
            failures.rethrow("an object could not be destroyed");
            finished = true;
        } finally {
            if (!finished) {
                // There was no room to finish one, or no memory. Without the flag nobody would look for it again, and
                // its entry would be lost.
                ids.unfinished = true;
            }
        }
    }

    /** {@link #finishAll}, for a caller that has more to do and throws what this throws at the end. */
    final void finishAll(Failures failures) {
        try {
            finishAll();
        } catch (Throwable t) {
            failures.add(t);
        }
    }

    final int destroyIdle(int most, Failures failures) {
        int count = 0;
        for (int id; count < most && (id = ids.takeIdle()) >= 0; count++) {
            try {
                Pooled<T> entry = entries[id];
                if (entry == null || entry.state != Pooled.IDLE) {
                    throw twin(id);
                }
                retire(entry);
            } catch (Throwable t) {
                failures.add(t);
            }
        }
        failures.rethrow("an object could not be destroyed");
        return count;
    }

    /**
     * Thrown instead of lending an id that was on two stacks. It is on one of them now, so the pool is exact again.
     */
    final IllegalStateException twin(int id) {
        return new IllegalStateException("object " + id + " of " + this + ": two threads released it at once, so it was"
                + " idle twice. Let one thread at a time use a handle; -Dpercpu.checked=true finds out who"
                + " does not");
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // there are no generic arrays
    private static <T> @Nullable Pooled<T>[] newEntries(int capacity) {
        return new Pooled[capacity];
    }
}
