package dev.percpu.stress.failure;

import java.util.Arrays;
import java.util.List;

/** Tells which step failed: the library's methods nearest to where something was thrown. */
final class Step {
    private static final String LIBRARY = "dev.percpu.";
    private static final String NOT_LIBRARY = "dev.percpu.stress.";
    private static final String LOOK = "dev.percpu.internal.protocol.StackRoom";
    private static final int MOST = 4;

    private Step() {}

    /**
     * The methods of the library and the JDK in which it was thrown, and the lines; none if it was in this program. A
     * look for room on the stack is one step, wherever in it the stack ended.
     */
    static List<StackTraceElement> where(Throwable thrown) {
        List<StackTraceElement> methods = Arrays.stream(thrown.getStackTrace())
                .takeWhile(element -> !element.getClassName().startsWith(NOT_LIBRARY))
                .toList();
        for (int i = methods.size() - 1; i > 0; i--) {
            if (methods.get(i).getClassName().startsWith(LOOK)) {
                return methods.subList(i, methods.size());
            }
        }
        return methods;
    }

    static String of(Throwable thrown) {
        StringBuilder text = new StringBuilder();
        int methods = 0;
        for (StackTraceElement element : thrown.getStackTrace()) {
            String type = element.getClassName();
            if (methods < MOST && type.startsWith(LIBRARY) && !type.startsWith(NOT_LIBRARY)) {
                text.append(methods++ == 0 ? " [in " : " < ")
                        .append(type.substring(type.lastIndexOf('.') + 1))
                        .append('.')
                        .append(element.getMethodName());
            }
        }
        return methods == 0 ? "" : text.append(']').toString();
    }
}
