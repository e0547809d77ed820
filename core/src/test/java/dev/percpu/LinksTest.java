package dev.percpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Each link in a page leads to a file of this repository that exists, and to a heading that it has. Each test and
 * jcstress test that a page names is there.
 */
@Tag("tools")
@Tag("once")
class LinksTest {
    private static final Path ROOT = SourceFiles.ROOT;
    private static final Pattern CODE_BLOCK = Pattern.compile("(?ms)^ *```.*?^ *```$");
    private static final Pattern CODE = Pattern.compile(CODE_BLOCK + "|`[^`]*`");
    private static final Pattern LINK = Pattern.compile("]\\(([^)#]*)(?:#([^)]*))?\\)");
    private static final Pattern OUTSIDE = Pattern.compile("[a-z]+:.*");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

    /** Not what comes after an ellipsis, which stands for several classes. */
    private static final Pattern TEST = Pattern.compile("(?<!\\w|\\.\\.\\.)[A-Z]\\w*(?:Test|Tests|Stress)\\b");

    /** What GitHub leaves out of an anchor. */
    private static final Pattern NOT_IN_AN_ANCHOR = Pattern.compile("[^\\p{L}\\p{N} _-]");

    @Test
    void eachLinkLeadsSomewhere() throws IOException {
        List<String> dead = new ArrayList<>();
        int links = 0;
        for (Path page : SourceFiles.pages()) {
            Matcher link = LINK.matcher(CODE.matcher(Files.readString(page)).replaceAll(""));
            while (link.find()) {
                links++;
                if (!OUTSIDE.matcher(link.group(1)).matches() && isDead(page, link.group(1), link.group(2))) {
                    dead.add(page + ": " + link.group());
                }
            }
        }
        assertThat(links).as("links that were looked at").isPositive();
        assertThat(dead).isEmpty();
    }

    @Test
    void eachTestThatAPageNamesExists() throws IOException {
        Set<String> classes = SourceFiles.below(ROOT, Pattern.compile(".*\\.java")).stream()
                .map(file -> file.getFileName().toString().replace(".java", ""))
                .collect(Collectors.toSet());
        List<String> missing = new ArrayList<>();
        int names = 0;
        for (Path page : SourceFiles.pages()) {
            Matcher name = TEST.matcher(Files.readString(page));
            while (name.find()) {
                names++;
                if (!classes.contains(name.group())) {
                    missing.add(page + ": " + name.group());
                }
            }
        }
        assertThat(names).as("names that were looked at").isPositive();
        assertThat(missing).isEmpty();
    }

    private static boolean isDead(Path page, String file, String anchor) throws IOException {
        Path target = file.isEmpty() ? page : page.resolveSibling(file);
        return !Files.exists(target) || (anchor != null && !anchors(target).contains(anchor));
    }

    /** The anchors of a page's headings, as GitHub makes them. A second one with the same text gets a number. */
    private static Set<String> anchors(Path page) throws IOException {
        Set<String> anchors = new TreeSet<>();
        Map<String, Integer> seen = new HashMap<>();
        Matcher heading =
                HEADING.matcher(CODE_BLOCK.matcher(Files.readString(page)).replaceAll(""));
        while (heading.find()) {
            String text = heading.group(1).strip().toLowerCase(Locale.ROOT);
            String anchor = NOT_IN_AN_ANCHOR.matcher(text).replaceAll("").replace(' ', '-');
            int earlier = seen.merge(anchor, 1, Integer::sum) - 1;
            anchors.add(earlier == 0 ? anchor : anchor + "-" + earlier);
        }
        return anchors;
    }
}
