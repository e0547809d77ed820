package dev.percpu.cli;

import dev.percpu.management.PerCpuMonitor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/**
 * A program whose management bean lacks what this version's has, for {@link TopCommandTest}. It ends when its standard
 * input does.
 */
final class OtherVersion {
    private OtherVersion() {}

    /** What it has. */
    @FunctionalInterface
    public interface OtherMXBean {
        /** The back end's name. */
        String getBackend();
    }

    public static void main(String[] args) throws IOException, JMException {
        OtherMXBean bean = () -> "rseq";
        ManagementFactory.getPlatformMBeanServer()
                .registerMBean(new StandardMBean(bean, OtherMXBean.class, true), new ObjectName(PerCpuMonitor.NAME));
        System.out.println("registered");
        int _ = System.in.read();
    }
}
