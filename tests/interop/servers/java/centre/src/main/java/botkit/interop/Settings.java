package botkit.interop;

/** The environment variables that all servers take. */
public final class Settings {
    public static final String POLL_TIMEOUT_MS = of("POLL_TIMEOUT_MS", "30000");
    public static final String MAX_INTERVAL_MS = of("MAX_INTERVAL_MS", "10000");
    public static final String SWEEP_MS = String.valueOf(Math.min(997, Long.parseLong(MAX_INTERVAL_MS) / 4));
    public static final long AGENT_DELAY_MS = Long.parseLong(of("AGENT_DELAY_MS", "10"));
    public static final String CHATS_FILE = of("CHATS_FILE", ""); // where chats outlive the process
    public static final String EXTENSIONS = of("EXTENSIONS", ""); // of ack and timesync, with blanks
    public static final int PORT = Integer.parseInt(of("PORT", "0"));

    private Settings() {}

    private static String of(String name, String standard) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? standard : value;
    }
}
