package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the formatter does not see to. */
@Tag("tools")
@Tag("once")
class SourceRulesTest {
    private static final int LONGEST_LINE = 120;
    private static final int LONGEST_FILE = 350;

    private static final String TAB = " ".repeat(8);

    /** What a longer file of the core, or of the C header, must say at its head, with the reason. */
    private static final String REASON = "This file is longer than others";

    /** Where the head ends: the first lines of the outermost class, or of C code, may have the reason too. */
    private static final Pattern CLASS =
            Pattern.compile("([a-z-]+ )*(class|interface|record|enum) .*|(PERCPU_[A-Z]+|static) .*");

    private static final int FIRST_LINES = 3;

    /** Sources in which a comment begins like one of Java, and those in which it begins with a number sign. */
    private static final Pattern LIKE_JAVA = Pattern.compile(".*\\.(java|c|h)");

    private static final Pattern JAVA = Pattern.compile(".*\\.java");

    private static final Pattern HEADER = Pattern.compile(".*\\.h");

    private static final Pattern PACKAGE = Pattern.compile("package ([a-z0-9_.]+);");

    private static final Pattern PROPERTIES = Pattern.compile("(?m)^import net\\.jqwik\\.api\\.Property;$");
    private static final Pattern CLASS_TAG = Pattern.compile("(?m)^@Tag\\((\"\\w+\")\\)");

    private static final Pattern SHELL = Pattern.compile(".*\\.sh|[a-z]+");
    private static final Pattern PAGE = Pattern.compile(".*\\.md");

    /** Where a link leads cannot be broken. */
    private static final Pattern TARGET = Pattern.compile("]\\([^)]*\\)");

    @Test
    void noCommentIsWiderThanTheCode() throws IOException {
        // The formatter breaks code, and leaves strings as they are.
        List<String> tooLong = new ArrayList<>(tooWide(LIKE_JAVA, SourceRulesTest::isComment));
        tooLong.addAll(tooWide(SHELL, line -> line.startsWith("#") || line.contains(" # ")));
        assertThat(tooLong).isEmpty();
    }

    private static boolean isComment(String line) {
        return line.startsWith("*") || line.startsWith("/*") || line.contains("// ");
    }

    private static List<String> tooWide(Pattern files, Predicate<String> which) throws IOException {
        List<String> tooWide = new ArrayList<>();
        for (Path file : SourceFiles.below(SourceFiles.ROOT, files)) {
            List<String> lines = Files.readAllLines(file);
            for (int i = 0; i < lines.size(); i++) {
                if (isTooWide(lines.get(i)) && which.test(lines.get(i).strip())) {
                    tooWide.add(file + ":" + (i + 1));
                }
            }
        }
        return tooWide;
    }

    private static boolean isTooWide(String line) {
        return line.replace("\t", TAB).length() > LONGEST_LINE;
    }

    @Test
    void noProseIsWiderThanTheCode() throws IOException {
        List<String> tooWide = new ArrayList<>();
        for (Path page : SourceFiles.below(SourceFiles.ROOT, PAGE)) {
            boolean code = false;
            int number = 0;
            for (String line : Files.readAllLines(page)) {
                number++;
                if (line.strip().startsWith("```")) {
                    code = !code;
                } else if (!code
                        && isProse(line)
                        && isTooWide(TARGET.matcher(line).replaceAll("]"))) {
                    tooWide.add(page + ":" + number);
                }
            }
        }
        assertThat(tooWide).isEmpty();
    }

    /** A row of a table, and a comment for what makes the tables, have to be one line. */
    private static boolean isProse(String line) {
        return !line.startsWith("|") && !line.startsWith("<!--");
    }

    @Test
    void noFileOfTheCoreAndOfTheHeaderIsLongWithoutAReasonAtItsHead() throws IOException {
        List<Path> files = new ArrayList<>(SourceFiles.below(Path.of("src"), JAVA));
        files.addAll(SourceFiles.below(SourceFiles.ROOT.resolve("native/include"), HEADER));
        List<String> tooLong = new ArrayList<>();
        for (Path file : files) {
            List<String> lines = Files.readAllLines(file);
            if (lines.size() > LONGEST_FILE && head(lines).stream().noneMatch(line -> line.contains(REASON))) {
                tooLong.add(file + ": " + lines.size() + " lines");
            }
        }
        assertThat(tooLong)
                .as("longer than %d lines, and no \"%s\" at the head", LONGEST_FILE, REASON)
                .isEmpty();
    }

    /** Each of the two engines reads its own annotation only. */
    @Test
    void propertiesHaveTheTagsOfTheirClassForJqwikToo() throws IOException {
        int tags = 0;
        List<String> missing = new ArrayList<>();
        for (Path file : SourceFiles.below(SourceFiles.ROOT, JAVA)) {
            String source = Files.readString(file);
            Matcher tag = CLASS_TAG.matcher(source);
            while (PROPERTIES.matcher(source).find() && tag.find()) {
                tags++;
                if (!source.contains("@net.jqwik.api.Tag(" + tag.group(1) + ")")) {
                    missing.add(file + ": " + tag.group(1));
                }
            }
        }
        assertThat(tags).as("tags that were looked at").isPositive();
        assertThat(missing).isEmpty();
    }

    /** A class in a package of the core can use what the core keeps to itself, and nothing shows that it does. */
    @Test
    void noOtherModuleDeclaresAPackageOfTheCore() throws IOException {
        Set<String> ofTheCore = new HashSet<>();
        for (Path file : SourceFiles.below(Path.of("src", "main"), JAVA)) {
            ofTheCore.add(packageOf(file));
        }
        ofTheCore.remove("");
        List<String> others = new ArrayList<>();
        for (Path file : SourceFiles.below(SourceFiles.ROOT, JAVA)) {
            if (!file.startsWith(SourceFiles.ROOT.resolve("core")) && ofTheCore.contains(packageOf(file))) {
                others.add(file.toString());
            }
        }
        assertThat(ofTheCore).contains("dev.percpu", "dev.percpu.internal.area");
        assertThat(others).isEmpty();
    }

    /** The package that a file declares; an empty string if it declares none, as module-info. */
    private static String packageOf(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .map(PACKAGE::matcher)
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1))
                .findFirst()
                .orElse("");
    }

    private static List<String> head(List<String> lines) {
        int declaration = IntStream.range(0, lines.size())
                .filter(i -> CLASS.matcher(lines.get(i)).matches())
                .findFirst()
                .orElseThrow();
        return lines.subList(0, Math.min(lines.size(), declaration + 1 + FIRST_LINES));
    }
}
