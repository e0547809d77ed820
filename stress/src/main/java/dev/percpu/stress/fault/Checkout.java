package dev.percpu.stress.fault;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The sources of the library, and what was built of them.
 *
 * @param core the directory of the module
 */
record Checkout(Path core) {
    private static final Path SOURCES = Path.of("src", "main", "java", "dev", "percpu");

    /** The one that the current directory is in. */
    static Checkout here() {
        for (Path directory = Path.of("").toAbsolutePath(); directory != null; directory = directory.getParent()) {
            Path core = directory.resolve("core");
            if (Files.isDirectory(core.resolve(SOURCES))) {
                return new Checkout(core);
            }
        }
        throw new IllegalStateException(
                "faults are put into the sources, and the current directory is not in a" + " checkout that has them");
    }

    /** The directory of the module that has the C header. */
    Path header() {
        return core.resolveSibling("native");
    }

    /** Where the parts of the header are. */
    Path include() {
        return header().resolve("include");
    }

    /** The library as it was built. */
    Path classes() {
        return built("classes");
    }

    /** The class path of the core's tests. */
    List<Path> testClassPath() {
        List<Path> path = new ArrayList<>(List.of(built("test-classes"), classes()));
        path.addAll(libraries());
        return path;
    }

    private Path built(String directory) {
        return core.resolve("target").resolve(directory);
    }

    private List<Path> libraries() {
        Path directory = built("test-libraries");
        if (!Files.isDirectory(directory)) {
            throw new IllegalStateException(directory + " is not there: build the core first, with ./percpu stress");
        }
        try (Stream<Path> jars = Files.list(directory)) {
            return jars.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Puts a fault into copies of the files that it changes, and compiles them.
     *
     * @param directory where copies and classes go; nothing else is there
     * @return the directory of the classes, which come before the library's own in a class path; or, if the fault is in
     *     the header, the directory with all its parts
     * @throws IllegalStateException if the fault does not fit the sources
     */
    Path compileWith(Fault fault, Path directory) {
        try {
            Path sources = Files.createDirectories(directory.resolve("sources"));
            List<Path> copies = new ArrayList<>();
            if (fault.isInHeader()) {
                copyHeader(sources);
            }
            for (Map.Entry<String, String> changed : changed(fault).entrySet()) {
                Path copy = sources.resolve(changed.getKey());
                Files.createDirectories(Objects.requireNonNull(copy.getParent()));
                Files.writeString(copy, changed.getValue());
                copies.add(copy);
            }
            if (fault.isInHeader()) {
                return sources;
            }
            Path classes = Files.createDirectories(directory.resolve("classes"));
            compile(fault, copies, classes);
            return classes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void copyHeader(Path to) throws IOException {
        try (Stream<Path> parts = Files.walk(include())) {
            for (Path part : parts.filter(Files::isRegularFile).toList()) {
                Path copy = to.resolve(include().relativize(part).toString());
                Files.createDirectories(Objects.requireNonNull(copy.getParent()));
                Files.copy(part, copy);
            }
        }
    }

    /** The changed files, by name. */
    private Map<String, String> changed(Fault fault) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        for (Change change : fault.changes()) {
            String text = texts.get(change.file());
            if (text == null) {
                Path file = (fault.isInHeader() ? include() : core.resolve(SOURCES)).resolve(change.file());
                if (!Files.exists(file)) {
                    throw new IllegalStateException("'" + fault.name() + "': there is no " + file);
                }
                text = Files.readString(file);
            }
            try {
                texts.put(change.file(), change.applyTo(text));
            } catch (IllegalStateException e) {
                throw new IllegalStateException("'" + fault.name() + "': " + e.getMessage(), e);
            }
        }
        return texts;
    }

    private void compile(Fault fault, List<Path> sources, Path classes) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            List<String> options = List.of(
                    "-proc:none",
                    "-nowarn",
                    "-Xlint:none",
                    "-implicit:none",
                    "-cp",
                    join(testClassPath()),
                    "-d",
                    classes.toString());
            if (!compiler.getTask(messages, files, null, options, null, files.getJavaFileObjectsFromPaths(sources))
                    .call()) {
                throw new IllegalStateException("'" + fault.name() + "' does not compile:\n" + messages);
            }
        }
    }

    /** A class path as the JVM takes it. */
    static String join(List<Path> path) {
        return path.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }

    /** The current JVM's class path, for one that runs in another directory. */
    static List<Path> ownClassPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath())
                .toList();
    }
}
