package dev.percpu.testing;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What an application server does with an application that brings the library along. */
public final class Deployment {
    private Deployment() {}

    /** A class loader that has a copy of its own of each class on the class path. */
    public static URLClassLoader loader() throws MalformedURLException {
        return new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader());
    }

    /** The class path of this JVM, for a class loader of a test's own. */
    public static URL[] classPath() throws MalformedURLException {
        List<URL> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            classPath.add(Path.of(entry).toUri().toURL());
        }
        return classPath.toArray(URL[]::new);
    }

    /** An object of that loader's copy of a class. Both copies have the interfaces of the JDK in common. */
    public static Object make(ClassLoader loader, Class<?> application) throws ReflectiveOperationException {
        Class<?> copy = Class.forName(application.getName(), true, loader);
        if (copy == application) {
            throw new AssertionError(application + " is not loaded twice");
        }
        var constructor = copy.getDeclaredConstructor();
        constructor.setAccessible(true);
        return constructor.newInstance();
    }

    /** How many threads all copies of the library have. */
    public static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("percpu-"))
                .count();
    }
}
