package dev.percpu.cli;

import dev.percpu.management.PerCpuMonitor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/**
 * A program whose management bean lacks what this version's has, for {@link TopCommandTest}: an attribute, or, with
 * {@code -Dreason=InvalidObjectException}, an item of one. It uses nothing of Percpu but a constant. It ends when its
 * standard input does.
 */
final class OtherVersion {
    private OtherVersion() {}

    /** What it has without the attribute. */
    @FunctionalInterface
    public interface OtherMXBean {
        /** The back end's name. */
        String getBackend();
    }

    /** What it has with it. */
    @FunctionalInterface
    public interface NamesMXBean {
        /** Variables, of which there is but the name. */
        List<Named> getVariables();
    }

    /** A variable. */
    public record Named(String name) {}

    public static void main(String[] args) throws IOException, JMException {
        OtherMXBean without = () -> "rseq";
        NamesMXBean with = () -> List.of(new Named("requests"));
        StandardMBean bean = "InvalidObjectException".equals(System.getProperty("reason"))
                ? new StandardMBean(with, NamesMXBean.class, true)
                : new StandardMBean(without, OtherMXBean.class, true);
        ManagementFactory.getPlatformMBeanServer().registerMBean(bean, new ObjectName(PerCpuMonitor.NAME));
        System.out.println("registered");
        int _ = System.in.read();
    }
}
