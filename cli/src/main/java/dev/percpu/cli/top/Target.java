package dev.percpu.cli.top;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import dev.percpu.cli.output.CliException;
import dev.percpu.management.PerCpuMXBean;
import dev.percpu.management.PerCpuMonitor;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.JMX;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.ReflectionException;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * Another JVM, whose management bean this one reads. The JVM's own management agent is started there, for this machine
 * only, as {@code jcmd PID ManagementAgent.start_local} does. If the program has not registered the bean, its server is
 * asked to create it, so the program needs no preparation, and no agent of ours is loaded into it.
 */
public final class Target implements AutoCloseable {
    /** How long a process that no longer answers is given to end. */
    private static final int ENDING_SECONDS = 2;

    private final long pid;
    private final JMXConnector connector;
    private final PerCpuMXBean bean;

    private Target(long pid, JMXConnector connector, PerCpuMXBean bean) {
        this.pid = pid;
        this.connector = connector;
        this.bean = bean;
    }

    /**
     * Connects to a process.
     *
     * @throws CliException if that cannot be, with the reason
     */
    public static Target of(long pid) {
        checkOurs(pid);
        JMXConnector connector = connect(pid);
        PerCpuMXBean bean = null;
        try {
            bean = bean(pid, connector.getMBeanServerConnection());
            return new Target(pid, connector, bean);
        } catch (IOException e) {
            throw gone(pid, e);
        } finally {
            if (bean == null) {
                close(connector);
            }
        }
    }

    private static void checkOurs(long pid) {
        ProcessHandle process = ProcessHandle.of(pid)
                .filter(ProcessHandle::isAlive)
                .orElseThrow(() -> new CliException("there is no process " + pid));
        if (pid == ProcessHandle.current().pid()) {
            throw new CliException("process " + pid + " is this command itself");
        }
        Optional<String> user = process.info().user();
        if (user.isPresent() && !user.equals(ProcessHandle.current().info().user())) {
            throw new CliException("process " + pid + " belongs to user " + user.get() + ": run top as that user");
        }
    }

    private static JMXConnector connect(long pid) {
        try {
            VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
            try {
                return connect(pid, machine.startLocalManagementAgent());
            } finally {
                machine.detach();
            }
        } catch (AttachNotSupportedException | IOException e) {
            if (ProcessHandle.of(pid).isEmpty()) {
                throw gone(pid, e);
            }
            throw new CliException(
                    "process " + pid + " cannot be attached to: it is no JVM, or it forbids that"
                            + " (-XX:+DisableAttachMechanism), or it is stopped",
                    e);
        }
    }

    @SuppressWarnings("BanJNDI") // the address is that of an agent which the JDK started in a process of this user
    private static JMXConnector connect(long pid, String address) {
        try {
            return JMXConnectorFactory.connect(new JMXServiceURL(address));
        } catch (IOException e) {
            if (ProcessHandle.of(pid).isEmpty()) {
                throw gone(pid, e);
            }
            Throwable reason = Objects.requireNonNullElse(e.getCause(), e);
            throw new CliException("the management agent of process " + pid + " cannot be reached: " + reason, e);
        }
    }

    private static PerCpuMXBean bean(long pid, MBeanServerConnection server) throws IOException {
        try {
            ObjectName name = new ObjectName(PerCpuMonitor.NAME);
            if (!server.isRegistered(name)) {
                create(pid, server, name);
            }
            return JMX.newMXBeanProxy(server, name, PerCpuMXBean.class);
        } catch (JMException e) {
            throw new CliException("process " + pid + " refuses to create the management bean: " + e, e);
        }
    }

    private static void create(long pid, MBeanServerConnection server, ObjectName name)
            throws IOException, JMException {
        try {
            server.createMBean(PerCpuMonitor.class.getName(), name);
        } catch (InstanceAlreadyExistsException e) {
            // Another "top" was faster.
        } catch (ReflectionException e) {
            if (e.getCause() instanceof ClassNotFoundException) {
                throw new CliException(
                        "process " + pid + " does not have Percpu on its class path or module path; where another class"
                                + " loader has it, the program has to register the management bean",
                        e);
            }
            throw e;
        }
    }

    /**
     * Reads everything now.
     *
     * @throws CliException if the process has ended, or its management bean is not this version's
     */
    public Reading read() {
        try {
            List<PerCpuMXBean.Variable> variables = bean.getVariables();
            return new Reading(
                    System.nanoTime(),
                    bean.getBackend(),
                    bean.getArea(),
                    bean.getOwners(),
                    Reading.flatten(variables),
                    Reading.failures(variables));
        } catch (UndeclaredThrowableException e) {
            Throwable cause = e.getCause();
            if (cause instanceof JMException || cause instanceof InvalidObjectException) {
                throw new CliException(
                        "process " + pid + " has no management bean that this version of top can read: " + cause, e);
            }
            throw gone(pid, e);
        }
    }

    private static CliException gone(long pid, Exception cause) {
        // A process that ends closes its connections first, so it may still be there for a moment.
        boolean ended = ProcessHandle.of(pid)
                .map(process -> process.onExit()
                        .thenApply(_ -> true)
                        .completeOnTimeout(false, ENDING_SECONDS, TimeUnit.SECONDS)
                        .join())
                .orElse(true);
        return new CliException("process " + pid + (ended ? " has ended" : " no longer answers"), cause);
    }

    @Override
    public void close() {
        close(connector);
    }

    private static void close(JMXConnector connector) {
        try {
            connector.close();
        } catch (IOException e) {
            // The process has ended, and the connection with it. What was read is what the user wanted.
        }
    }
}
