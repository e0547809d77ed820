package dev.percpu.cli.top;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import dev.percpu.cli.output.CliException;
import dev.percpu.management.PerCpuMXBean;
import dev.percpu.management.PerCpuMonitor;
import java.io.IOException;
import java.io.InvalidObjectException;
import java.lang.reflect.UndeclaredThrowableException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
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
    /** How long an answer may take: much longer than on a machine that is busy with other work. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** A runtime of the user's own may do without it. */
    private static final String AGENT_MODULE = "jdk.management.agent";

    private final TargetProcess process;
    private final JMXConnector connector;
    private final PerCpuMXBean bean;

    private Target(TargetProcess process, JMXConnector connector, PerCpuMXBean bean) {
        this.process = process;
        this.connector = connector;
        this.bean = bean;
    }

    /**
     * Connects to a process.
     *
     * @throws CliException if that cannot be, with the reason
     */
    public static Target of(long pid) throws InterruptedException {
        TargetProcess process = new TargetProcess(pid);
        process.check();
        JMXConnector connector = process.ask(PATIENCE, () -> connect(process, address(process, pid)));
        PerCpuMXBean bean = null;
        try {
            bean = process.ask(PATIENCE, () -> bean(process, connector));
            return new Target(process, connector, bean);
        } finally {
            if (bean == null) {
                close(process, connector);
            }
        }
    }

    /** Has the process start its management agent, and returns the agent's address. */
    private static String address(TargetProcess process, long pid) {
        VirtualMachine machine;
        try {
            machine = VirtualMachine.attach(Long.toString(pid));
        } catch (AttachNotSupportedException | IOException e) {
            throw process.failed(
                    " cannot be attached to; perhaps it forbids that (-XX:+DisableAttachMechanism): " + e.getMessage(),
                    e);
        }
        try {
            return machine.startLocalManagementAgent();
        } catch (IOException e) {
            boolean isLacking = String.valueOf(e.getMessage()).contains(AGENT_MODULE);
            throw process.failed(
                    " does not start its management agent: " + e.getMessage()
                            + (isLacking ? "; make its Java runtime with jlink --add-modules " + AGENT_MODULE : ""),
                    e);
        } finally {
            detach(machine);
        }
    }

    private static void detach(VirtualMachine machine) {
        try {
            machine.detach();
        } catch (IOException e) {
            // The process has ended. The connection to its agent, which comes next, says so.
        }
    }

    @SuppressWarnings("BanJNDI") // the address is that of an agent which the JDK started in a process of this user
    private static JMXConnector connect(TargetProcess process, String address) {
        try {
            return JMXConnectorFactory.connect(new JMXServiceURL(address));
        } catch (IOException e) {
            Throwable reason = Objects.requireNonNullElse(e.getCause(), e);
            throw process.failed(
                    " has a management agent that cannot be reached: " + reason
                            + "; the process's java.rmi.server.hostname has to be reachable from here",
                    e);
        }
    }

    private static PerCpuMXBean bean(TargetProcess process, JMXConnector connector) {
        try {
            MBeanServerConnection server = connector.getMBeanServerConnection();
            ObjectName name = new ObjectName(PerCpuMonitor.NAME);
            if (!server.isRegistered(name)) {
                create(process, server, name);
            }
            return JMX.newMXBeanProxy(server, name, PerCpuMXBean.class);
        } catch (IOException e) {
            throw process.gone(e);
        } catch (JMException e) {
            throw new CliException(process + " refuses to create the management bean: " + e, e);
        }
    }

    private static void create(TargetProcess process, MBeanServerConnection server, ObjectName name)
            throws IOException, JMException {
        try {
            server.createMBean(PerCpuMonitor.class.getName(), name);
        } catch (InstanceAlreadyExistsException e) {
            // Another "top" was faster.
        } catch (ReflectionException e) {
            if (e.getCause() instanceof ClassNotFoundException) {
                throw new CliException(
                        process + " does not have Percpu on its class path or module path; where another class"
                                + " loader has it, the program has to register the management bean",
                        e);
            }
            throw e;
        }
    }

    /**
     * Reads everything now.
     *
     * @throws CliException if the process has ended or does not answer, or its management bean is not this version's
     */
    public Reading read() throws InterruptedException {
        return read(PATIENCE);
    }

    Reading read(Duration patience) throws InterruptedException {
        return process.ask(patience, this::readNow);
    }

    private Reading readNow() {
        try {
            List<PerCpuMXBean.Variable> variables = bean.getVariables();
            return new Reading(
                    System.nanoTime(),
                    bean.getBackend(),
                    bean.getArea(),
                    bean.getOwnPlaces(),
                    bean.getOwners(),
                    Reading.flatten(variables),
                    Reading.failures(variables));
        } catch (UndeclaredThrowableException e) {
            Throwable cause = e.getCause();
            if (cause instanceof JMException || cause instanceof InvalidObjectException) {
                throw new CliException(
                        process + " has no management bean that this version of top can read: " + cause, e);
            }
            throw process.gone(e);
        }
    }

    @Override
    public void close() {
        close(process, connector);
    }

    private static void close(TargetProcess process, JMXConnector connector) {
        // To close a connection, RMI asks the process once more.
        if (process.isSilent()) {
            return;
        }
        try {
            connector.close();
        } catch (IOException e) {
            // The process has ended, and the connection with it. What was read is what the user wanted.
        }
    }
}
