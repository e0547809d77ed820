package dev.percpu.internal.jfr;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/** Recordings of the flight recorder, for tests. */
final class Recordings {
    private Recordings() {}

    interface ThrowingAction {
        void run() throws Exception;
    }

    /** Records all events with a name while an action runs, also if an earlier test has used up their rate. */
    static List<RecordedEvent> record(String name, ThrowingAction action) throws Exception {
        return record(name, "off", action);
    }

    /**
     * Records while an action runs, and returns the events with a name.
     *
     * @param throttle how many there may be, such as {@code 100/s}
     */
    static List<RecordedEvent> record(String name, String throttle, ThrowingAction action) throws Exception {
        Path file = Files.createTempFile("percpu", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable(name).with("period", "endChunk").with("throttle", throttle);
            recording.start();
            action.run();
            recording.stop();
            recording.dump(file);
            return RecordingFile.readAllEvents(file).stream()
                    .filter(event -> event.getEventType().getName().equals(name))
                    .toList();
        } finally {
            Files.delete(file);
        }
    }
}
