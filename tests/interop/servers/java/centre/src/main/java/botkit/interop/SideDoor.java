package botkit.interop;

import java.util.Map;

/** What tests may ask of a server beside the chat: its status, a line of the agent, to forget its sessions. */
public final class SideDoor {
    /** The part of a Bayeux server that the side door needs. */
    public interface Sessions {
        int count();

        void forget();
    }

    private final ChatCentre centre;
    private final Sessions sessions;

    public SideDoor(ChatCentre centre, Sessions sessions) {
        this.centre = centre;
        this.sessions = sessions;
    }

    /** Answers GET /status. */
    public Map<String, Object> status() {
        Map<String, Object> status = centre.status();
        status.put("sessions", sessions.count());
        return status;
    }

    /** Carries out POST /say?text=TEXT. */
    public Map<String, Object> say(String text) {
        return Map.of("heard", centre.say(text));
    }

    /** Carries out POST /forget?all=1[&amp;say=TEXT]. */
    public Map<String, Object> forget(String say) {
        int forgotten = sessions.count();
        centre.loseCustomers(say);
        sessions.forget();
        return Map.of("forgotten", forgotten);
    }
}
