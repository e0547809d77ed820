package dev.percpu.internal.linux;

/** A system call that the kernel refused. */
public final class LinuxException extends RuntimeException {
    private static final long serialVersionUID = 1;

    LinuxException(String call, int errno) {
        super(call + " failed: errno " + errno + name(errno));
    }

    private static String name(int errno) {
        return switch (errno) {
            case Linux.EPERM -> " (EPERM)";
            case 11 -> " (EAGAIN)";
            case 12 -> " (ENOMEM)";
            case 13 -> " (EACCES)";
            case 22 -> " (EINVAL)";
            case Linux.ENOSYS -> " (ENOSYS)";
            default -> "";
        };
    }
}
