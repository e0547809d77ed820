package dev.percpu.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each benchmark says what it wants to know, and how to run it. */
class QuestionsTest {
    private static final Path SOURCES = Path.of("src", "main", "java", "dev", "percpu", "benchmarks");

    /** What a class begins with: its comment, its annotations, its name. */
    private static final Pattern BEGINNING = Pattern.compile(
            "/\\*\\*((?:(?!\\*/).)*)\\*/\\s+(?:@\\S+\\s+)*(?:public )?(?:final )?class (\\w+)", Pattern.DOTALL);

    @Test
    void theCommentOfABenchmarkStatesItsQuestionAndItsCommand() throws IOException {
        SortedMap<String, String> comments = comments("    @Benchmark\n");

        assertThat(comments).containsKeys("AddBenchmark", "PoolBenchmarkVirtualThreads");
        assertThat(comments).allSatisfy((name, comment) -> {
            assertThat(comment).contains("java -jar benchmarks/target/benchmarks.jar " + name);
            assertThat(comment.substring(0, comment.indexOf("<pre>"))).contains("?");
        });
    }

    /** What JMH cannot measure: the charts, and the programs. */
    @Test
    void soDoesTheCommentOfWhatIsMeasuredOtherwise() throws IOException {
        SortedMap<String, String> comments = comments(" String CHART = ");
        comments.putAll(comments(" implements Program {"));

        assertThat(comments)
                .containsOnlyKeys(
                        "CacheLine",
                        "CacheProgram",
                        "JsonProgram",
                        "ManyThreads",
                        "MemoryUse",
                        "ServerProgram",
                        "StartUp");
        assertThat(comments).allSatisfy((_, comment) -> {
            assertThat(comment).contains("* java -jar benchmarks/target/benchmarks.jar --curves ");
            assertThat(comment.substring(0, comment.indexOf("<pre>"))).contains("?");
        });
    }

    /** The comments of the classes that have something in their source. */
    private static SortedMap<String, String> comments(String what) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.walk(SOURCES)) {
            files = found.filter(Files::isRegularFile).toList();
        }
        SortedMap<String, String> comments = new TreeMap<>();
        for (Path file : files) {
            String source = Files.readString(file);
            if (source.contains(what)) {
                Matcher beginning = BEGINNING.matcher(source);
                assertThat(beginning.find()).as("a comment in %s", file).isTrue();
                comments.put(beginning.group(2), beginning.group(1));
            }
        }
        return comments;
    }
}
