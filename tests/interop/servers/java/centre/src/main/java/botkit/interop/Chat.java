package botkit.interop;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One chat: its parties, its transcript, and where its pushes go. */
final class Chat implements Serializable {
    private static final Map<String, Object> AGENT = party("Ada", 2, "Agent");
    private static final Consumer<Map<String, Object>> SILENT = data -> {};

    final Map<String, Object> ids;
    final Map<String, Object> userData = new LinkedHashMap<>();
    private final String service;
    private final List<Map<String, Object>> transcript = new ArrayList<>();
    private Map<String, Object> customer;
    private transient Consumer<Map<String, Object>> push;
    private boolean open = true;

    Chat(int number, String service, String nickname, Consumer<Map<String, Object>> push) {
        this.service = service;
        this.customer = party(nickname, 1, "Client");
        this.push = push;
        this.ids = Map.of(
            "chatId", "chat-" + number,
            "userId", "user-" + number,
            "secureKey", "key-" + number + "-" + UUID.randomUUID(),
            "alias", "204");
    }

    private static Map<String, Object> party(String nickname, int id, String type) {
        return Map.of("nickname", nickname, "participantId", id, "type", type);
    }

    static String nicknameIn(Map<String, Object> request) {
        if (request.get("nickname") instanceof String nickname) {
            return nickname;
        }
        return Stream.of("firstName", "lastName")
            .map(request::get)
            .filter(String.class::isInstance)
            .map(String.class::cast)
            .collect(Collectors.joining(" "));
    }

    boolean isOpen() {
        return open;
    }

    void close() {
        open = false;
    }

    void rename(String nickname) {
        customer = party(nickname, 1, "Client");
    }

    void customerDoes(String type, Map<String, Object> details) {
        happen(type, customer, details);
    }

    void agentDoes(String type, Map<String, Object> details) {
        happen(type, AGENT, details);
    }

    void agentSays(String text) {
        agentDoes("Message", Map.of("text", text, "messageType", "text"));
    }

    /** Adds an event to the transcript and pushes it. */
    private void happen(String type, Map<String, Object> from, Map<String, Object> details) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("index", transcript.size() + 1);
        event.put("type", type);
        event.put("from", from);
        event.put("utcTime", System.currentTimeMillis());
        event.putAll(details);
        transcript.add(event);
        pushEvents(List.of(event));
    }

    void pushEvents(List<Map<String, Object>> events) {
        Map<String, Object> data = new LinkedHashMap<>(ids);
        data.put("statusCode", 0);
        data.put("chatEnded", !open);
        data.put("nextPosition", transcript.size() + 1);
        data.put("messages", events);
        push.accept(data);
    }

    /** Binds the pushes to another Bayeux session and replays what it may have missed. */
    void bind(Consumer<Map<String, Object>> push, long position) {
        this.push = push;
        pushEvents(transcript.stream().filter(event -> (int) event.get("index") >= position).toList());
    }

    /** Stops pushing, as after the loss of the Bayeux session; the chat itself goes on. */
    void unbind() {
        push = SILENT;
    }

    Map<String, Object> status() {
        return Map.of(
            "chatId", ids.get("chatId"),
            "open", open,
            "service", service,
            "userData", Map.copyOf(userData),
            "transcript", List.copyOf(transcript));
    }
}
