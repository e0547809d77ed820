package dev.percpu.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compiles and runs every Java example of the pages. This module is the place for it, since it has the core and each
 * adapter on its class path.
 *
 * <p>An example may use what a reader has: a channel, a number of bytes, the classes of another library. The page
 * supplies that in a comment before the example, which a reader does not see: {@code <!-- example} and then Java, or
 * {@code <!-- example, not run} if the example needs something that is not there. After two such comments the example
 * is compiled twice, once with each.
 */
@Tag("tools")
class PageExamplesTest {
    private static final Path ROOT = Path.of("..");

    private static final Pattern EXAMPLE =
            Pattern.compile("(?ms)((?:^<!-- example[^\n]*\n(?:(?!-->).)*-->\n)*)^```java\n(.*?)^```$");
    private static final Pattern SUPPLIED = Pattern.compile("(?ms)^<!-- example(, not run)?\n(.*?)-->\n");

    /** Where a paragraph begins: a line that is not indented, behind an empty one. */
    private static final Pattern PARAGRAPH = Pattern.compile("\n\n(?=[^\\s}])");

    private static final Pattern IMPORT = Pattern.compile("(?m)^import .*;$");
    private static final Pattern MEMBER =
            Pattern.compile("(?s)(?://[^\n]*\n|/\\*\\*.*?\\*/\\s*)*(?:@|(?:static|private|record) ).*");

    @TempDir
    private Path classes;

    @ParameterizedTest
    @MethodSource("examples")
    void compilesAndRuns(Example example) throws Exception {
        compile(example.source());
        if (example.runs()) {
            URL[] path = {classes.toUri().toURL()};
            try (URLClassLoader loader = new URLClassLoader(path, getClass().getClassLoader())) {
                Class<?> compiled = loader.loadClass("Example");
                ((Callable<?>) compiled.getConstructor().newInstance()).call();
            }
        }
    }

    private void compile(String source) throws IOException {
        Path file = Files.writeString(classes.resolve("Example.java"), source);
        String path = System.getProperty("java.class.path");
        List<String> options = List.of("-proc:none", "-Xlint:deprecation", "-cp", path, "-d", classes.toString());
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            Iterable<? extends JavaFileObject> sources = files.getJavaFileObjects(file);
            JavaCompiler.CompilationTask task = compiler.getTask(messages, files, null, options, null, sources);
            task.call();
        }
        assertThat(messages.toString()).as("what javac says of\n%s", source).isEmpty();
    }

    private static List<Example> examples() throws IOException {
        List<Path> pages = new ArrayList<>();
        try (DirectoryStream<Path> docs = Files.newDirectoryStream(ROOT.resolve("docs"), "*.md")) {
            docs.forEach(pages::add);
        }
        Collections.sort(pages);
        pages.addFirst(ROOT.resolve("README.md"));
        List<Example> examples = new ArrayList<>();
        for (Path page : pages) {
            addExamples(page, examples);
        }
        return examples;
    }

    private static void addExamples(Path page, List<Example> examples) throws IOException {
        String text = Files.readString(page);
        int found = 0;
        Matcher example = EXAMPLE.matcher(text);
        while (example.find()) {
            found++;
            long line = text.substring(0, example.start(2)).lines().count();
            String place = page.getFileName() + ":" + line;
            if (example.group(1).isEmpty()) {
                examples.add(new Example(place, "", example.group(2), true));
            }
            Matcher supplied = SUPPLIED.matcher(example.group(1));
            while (supplied.find()) {
                examples.add(new Example(place, supplied.group(2), example.group(2), supplied.group(1) == null));
            }
        }
        assertThat(text.split("```java", -1)).as("examples of %s", page).hasSize(found + 1);
    }

    record Example(String place, String supplied, String text, boolean runs) {
        /** A class with the example's members, and its statements in a method. */
        String source() {
            StringBuilder imports = new StringBuilder();
            StringBuilder members = new StringBuilder();
            StringBuilder statements = new StringBuilder();
            for (String part : List.of(supplied, text)) {
                Matcher lines = IMPORT.matcher(part);
                while (lines.find()) {
                    imports.append(lines.group()).append('\n');
                }
                String code = lines.replaceAll("").strip();
                for (String paragraph : PARAGRAPH.splitAsStream(code).toList()) {
                    StringBuilder to = MEMBER.matcher(paragraph).matches() ? members : statements;
                    to.append(paragraph).append('\n');
                }
            }
            // An example may end with a return statement: behind "if (true)" the compiler allows one more.
            return """
                    import module java.base;
                    import dev.percpu.*;
                    import dev.percpu.concurrent.*;
                    import dev.percpu.memory.*;
                    %s
                    public class Example implements Callable<Object> {
                    %s
                    @Override
                    public Object call() throws Exception {
                    if (true) {
                    %s
                    }
                    return null;
                    }
                    }
                    """.formatted(imports, members, statements);
        }

        @Override
        public String toString() {
            return place;
        }
    }
}
