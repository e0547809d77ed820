package dev.percpu.cli.output;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A table of text, with columns as wide as what is in them. The first column is aligned left, the others right. What is
 * not {@link Messages#printable(String) printable} is replaced.
 */
public final class TextTable {
    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    public TextTable(String... header) {
        rows.add(printable(header));
    }

    /**
     * Adds a row.
     *
     * @throws IllegalArgumentException if it has not as many cells as the header
     */
    public void add(String... cells) {
        if (cells.length != rows.getFirst().size()) {
            throw new IllegalArgumentException(Arrays.toString(cells) + " does not fit below " + rows.getFirst());
        }
        rows.add(printable(cells));
    }

    private static List<String> printable(String... cells) {
        return Arrays.stream(cells).map(Messages::printable).toList();
    }

    /** Prints the header and the rows. */
    public void print(PrintWriter out) {
        int[] widths = new int[rows.getFirst().size()];
        for (List<String> row : rows) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                String cell = row.get(column);
                String fill = " ".repeat(widths[column] - cell.length());
                line.append(column == 0 ? cell + fill : GAP + fill + cell);
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
