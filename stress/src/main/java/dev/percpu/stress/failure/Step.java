package dev.percpu.stress.failure;

/** Tells which step failed: the library's methods nearest to where something was thrown. */
final class Step {
    private static final String LIBRARY = "dev.percpu.";
    private static final String NOT_LIBRARY = "dev.percpu.stress.";
    private static final int MOST = 4;

    private Step() {}

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
