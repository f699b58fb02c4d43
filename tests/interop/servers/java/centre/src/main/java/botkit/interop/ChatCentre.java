package botkit.interop;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The contact centre behind both Java servers: GMS Chat API v2 as a customer sees it over CometD.
 *
 * <p>The same as chat_centre.js. It knows nothing of Bayeux; all of it happens under one lock, so
 * that the pushes of a chat leave in the order of their indexes.
 */
public final class ChatCentre {
    public static final String CHANNEL = "/service/chatV2/";

    private static final int BAD_SECURE_KEY = 8210; // the one Chat Server code that is public for this case
    private static final int UNLISTED = 0; // the public pages list no number for the other refusals

    // The agent is another person: what Ada does is pushed later, into a held connect, and not with
    // the answer to the customer's own publish.
    private final ScheduledExecutorService agents = Executors.newSingleThreadScheduledExecutor();
    private final Map<String, Chat> chats; // by secureKey
    private final KeptChats kept;

    /** Goes on with the chats that are kept, whose customers have to bind them again. */
    public ChatCentre(KeptChats kept) {
        this.kept = kept;
        chats = kept.read();
        chats.values().forEach(Chat::unbind);
    }

    /** Carries out one published operation; {@code push} must reach the customer who published it. */
    public synchronized void handle(
            String channel, Map<String, Object> published, Consumer<Map<String, Object>> push) {
        // What a customer has been told must not be lost with the process.
        operate(channel, published, data -> {
            kept.write(chats);
            push.accept(data);
        });
        kept.write(chats);
    }

    private void operate(
            String channel, Map<String, Object> published, Consumer<Map<String, Object>> push) {
        Map<String, Object> data = published == null ? Map.of() : published;
        String operation = String.valueOf(data.get("operation"));
        if (operation.equals("requestChat")) {
            requestChat(channel.substring(CHANNEL.length()), data, push);
            return;
        }
        Chat chat = chats.get(String.valueOf(data.get("secureKey")));
        if (chat == null || !chat.isOpen()) {
            refuse(push, BAD_SECURE_KEY, "no open chat has this secureKey", Map.of("chatEnded", true));
        } else if (!carryOut(operation, chat, data, push)) {
            Map<String, Object> head = new LinkedHashMap<>(chat.ids);
            head.put("chatEnded", false);
            refuse(push, UNLISTED, "unknown operation " + operation, head);
        }
    }

    private void requestChat(
            String service, Map<String, Object> data, Consumer<Map<String, Object>> push) {
        String nickname = Chat.nicknameIn(data);
        if (nickname.isEmpty()) {
            String problem = "nickname, or firstName and lastName, is required";
            refuse(push, UNLISTED, problem, Map.of("chatEnded", true));
            return;
        }
        Chat chat = new Chat(chats.size() + 1, service, nickname, push);
        chat.userData.putAll(mapIn(data, "userData"));
        chats.put((String) chat.ids.get("secureKey"), chat);
        chat.customerDoes("ParticipantJoined", Map.of());
        String surveyUrl = "https://survey.example.com/" + chat.ids.get("chatId");
        agentWill(chat, () -> {
            chat.agentDoes("ParticipantJoined", Map.of("userData", Map.of("SurveyURL", surveyUrl)));
            chat.agentSays("Hello, how can I help?");
        });
    }

    private boolean carryOut(
            String operation, Chat chat, Map<String, Object> data, Consumer<Map<String, Object>> push) {
        switch (operation) {
            case "sendMessage" -> sendMessage(chat, data);
            case "startTyping" -> chat.customerDoes("TypingStarted", text(data, "message"));
            case "stopTyping" -> chat.customerDoes("TypingStopped", text(data, "message"));
            case "customNotice" -> chat.customerDoes("CustomNotice", text(data, "message"));
            case "pushUrl" -> chat.customerDoes("PushUrl", text(data, "pushUrl"));
            case "updateNickname" -> {
                chat.rename(String.valueOf(data.get("nickname")));
                chat.customerDoes("NicknameUpdated", Map.of());
            }
            case "updateData" -> {
                chat.userData.putAll(mapIn(data, "userData"));
                chat.pushEvents(List.of());
            }
            case "readReceipt" -> chat.pushEvents(List.of());
            case "requestNotifications" ->
                chat.bind(push, data.get("transcriptPosition") instanceof Number n ? n.longValue() : 0);
            case "disconnect" -> {
                chat.close();
                chat.customerDoes("ParticipantLeft", Map.of());
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void sendMessage(Chat chat, Map<String, Object> data) {
        Object message = data.get("message");
        Object type = data.getOrDefault("messageType", "text");
        chat.customerDoes("Message", Map.of("text", message, "messageType", type));
        agentWill(chat, () -> {
            if (message.equals("bye")) {
                chat.agentDoes("ParticipantLeft", Map.of());
                chat.close();
                chat.pushEvents(List.of());
            } else {
                chat.agentSays("You said: " + message);
            }
        });
    }

    /** Lets the agent act after a moment, if the chat is still open then. */
    private void agentWill(Chat chat, Runnable act) {
        Runnable actIfOpen = () -> {
            synchronized (this) {
                if (chat.isOpen()) {
                    act.run();
                    kept.write(chats);
                }
            }
        };
        agents.schedule(actIfOpen, Settings.AGENT_DELAY_MS, TimeUnit.MILLISECONDS);
    }

    /** The agent says a line in every open chat; gives their number. */
    synchronized int say(String line) {
        List<Chat> open = chats.values().stream().filter(Chat::isOpen).toList();
        open.forEach(chat -> chat.agentSays(line));
        kept.write(chats);
        return open.size();
    }

    /** Forgets where the customers are; with a line, the agent says it while nobody can hear. */
    synchronized void loseCustomers(String line) {
        chats.values().forEach(Chat::unbind);
        if (line != null) {
            say(line);
        }
    }

    synchronized Map<String, Object> status() {
        long open = chats.values().stream().filter(Chat::isOpen).count();
        Map<String, Object> status = new LinkedHashMap<>();
        status.put("open", open);
        status.put("total", chats.size());
        status.put("chats", chats.values().stream().map(Chat::status).toList());
        return status;
    }

    private static void refuse(
            Consumer<Map<String, Object>> push, int code, String message, Map<String, Object> head) {
        Map<String, Object> data = new LinkedHashMap<>(head);
        data.put("statusCode", 2);
        data.put("errors", List.of(Map.of("code", code, "message", message, "advice", "start a new chat")));
        push.accept(data);
    }

    private static Map<String, Object> text(Map<String, Object> data, String key) {
        return Map.of("text", data.getOrDefault(key, ""));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> mapIn(Map<String, Object> data, String key) {
        return data.get(key) instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }
}
