package dev.percpu.internal.jfr;

import static java.lang.invoke.MethodHandles.constant;
import static java.lang.invoke.MethodHandles.dropArguments;
import static java.lang.invoke.MethodHandles.empty;
import static java.lang.invoke.MethodHandles.filterReturnValue;
import static java.lang.invoke.MethodHandles.guardWithTest;
import static java.lang.invoke.MethodHandles.publicLookup;
import static java.lang.invoke.MethodType.methodType;

import dev.percpu.listing.Value;
import dev.percpu.listing.Variable;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Objects;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;

/**
 * What a recording shows from time to time.
 *
 * <p>The flight recorder keeps what it is to call for as long as the process lives. An application that brings this
 * library along could then never be unloaded. So it gets objects that are made of JDK code alone, and refer to ours
 * weakly. The static fields here keep ours alive for as long as the library is.
 */
final class PeriodicEvents {
    private static final Runnable START = PeriodicEvents::start;

    private static final Periodic BACK_END = new Periodic(PeriodicEvents::backEnd);
    private static final Periodic AREA = new Periodic(PeriodicEvents::area);
    private static final Periodic VARIABLES = new Periodic(PeriodicEvents::variables);

    private PeriodicEvents() {}

    /** What records an event from time to time. */
    private static final class Periodic {
        private final Runnable ours;
        private final Once added = new Once();

        private Periodic(Runnable ours) {
            this.ours = ours;
        }

        private void addFor(Class<? extends Event> event) {
            added.run(() -> FlightRecorder.addPeriodicEvent(event, hook(ours)));
        }
    }

    /** Waits for the first recording, without starting the flight recorder. */
    static void prepare() {
        FlightRecorder.addListener(listener(START));
    }

    /**
     * The flight recorder calls this when it starts, and whenever a recording starts or ends: a listener has a method
     * for each, and all of ours do the same. So if something fails here, the next recording makes up for it, or the
     * next named variable does for one that runs already.
     */
    private static void start() {
        try {
            BACK_END.addFor(BackEndEvent.class);
            AREA.addFor(AreaEvent.class);
            VARIABLES.addFor(VariableEvent.class);
        } catch (RuntimeException | Error e) {
            Recording.prepareAgain();
            throw e;
        }
    }

    private static void backEnd() {
        Recording.BackEnd chosen = Recording.backEnd();
        if (chosen != null) {
            new BackEndEvent(chosen.name(), chosen.reason(), chosen.selfTest()).commit();
        }
    }

    private static void area() {
        Recording.Area area = Recording.area();
        if (area != null) {
            new AreaEvent(area.used().getAsLong(), area.stride()).commit();
        }
    }

    private static void variables() {
        for (Variable variable : Recording.variables()) {
            List<Value> values;
            try {
                values = variable.values();
            } catch (Throwable e) {
                // Also a checked one: a function in another language can throw it. Not its message, which can be
                // the user's code. The other variables are recorded all the same.
                new VariableEvent(variable, "", 0, e.getClass().getName()).commit();
                continue;
            }
            for (Value value : values) {
                new VariableEvent(variable, value.name(), value.total(), "").commit();
            }
        }
    }

    private static Runnable hook(Runnable ours) {
        return MethodHandleProxies.asInterfaceInstance(Runnable.class, weak(ours));
    }

    private static FlightRecorderListener listener(Runnable ours) {
        MethodHandle handler = filterReturnValue(
                dropArguments(weak(ours), 0, Object.class, Method.class, Object[].class), constant(Object.class, null));
        return (FlightRecorderListener) Proxy.newProxyInstance(
                FlightRecorderListener.class.getClassLoader(),
                new Class<?>[] {FlightRecorderListener.class},
                MethodHandleProxies.asInterfaceInstance(InvocationHandler.class, handler));
    }

    /** Runs what is given if it is reachable when it is called. */
    private static MethodHandle weak(Runnable ours) {
        try {
            MethodHandle get = publicLookup()
                    .findVirtual(Reference.class, "get", methodType(Object.class))
                    .bindTo(new WeakReference<>(ours));
            MethodHandle run = publicLookup()
                    .findVirtual(Runnable.class, "run", methodType(void.class))
                    .asType(methodType(void.class, Object.class));
            MethodHandle exists =
                    publicLookup().findStatic(Objects.class, "nonNull", methodType(boolean.class, Object.class));
            return filterReturnValue(get, guardWithTest(exists, run, empty(run.type())));
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the JDK's classes have other methods", e);
        }
    }
}
