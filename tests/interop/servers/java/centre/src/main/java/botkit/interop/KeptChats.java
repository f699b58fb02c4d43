package botkit.interop;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;

/** The chats outside of the process, where a contact centre keeps them, so that they outlive its front end. */
public final class KeptChats {
    private final Path file; // null: they die with the process

    public KeptChats(String file) {
        this.file = file.isEmpty() ? null : Path.of(file);
    }

    @SuppressWarnings("unchecked")
    Map<String, Chat> read() {
        if (file == null || !Files.exists(file)) {
            return new LinkedHashMap<>();
        }
        try (ObjectInputStream in = new ObjectInputStream(Files.newInputStream(file))) {
            return (Map<String, Chat>) in.readObject();
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        } catch (ClassNotFoundException problem) {
            throw new IllegalStateException(problem);
        }
    }

    /** Writes all of them, or nothing if the process dies meanwhile. */
    void write(Map<String, Chat> chats) {
        if (file == null) {
            return;
        }
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(fresh))) {
                out.writeObject(chats);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }
}
