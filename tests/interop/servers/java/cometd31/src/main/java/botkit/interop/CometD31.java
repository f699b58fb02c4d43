package botkit.interop;

import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import org.cometd.bayeux.server.BayeuxServer;
import org.cometd.bayeux.server.ServerChannel;
import org.cometd.bayeux.server.ServerMessage;
import org.cometd.bayeux.server.ServerSession;
import org.cometd.server.BayeuxServerImpl;
import org.cometd.server.ServerSessionImpl;
import org.cometd.server.CometDServlet;
import org.cometd.server.ext.AcknowledgedMessagesExtension;
import org.cometd.server.ext.TimesyncExtension;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.ajax.JSON;
import org.eclipse.jetty.websocket.jsr356.server.deploy.WebSocketServerContainerInitializer;

/** The chat centre on CometD 3.1 (Jetty 9.2, javax.servlet). */
public final class CometD31 {
    public static void main(String[] arguments) throws Exception {
        Server server = new Server(new InetSocketAddress("127.0.0.1", Settings.PORT));
        ServletContextHandler context = new ServletContextHandler();
        server.setHandler(context);
        ServletHolder cometd = new ServletHolder(CometDServlet.class);
        cometd.setInitOrder(1);
        cometd.setAsyncSupported(true);
        cometd.setInitParameter("timeout", Settings.POLL_TIMEOUT_MS);
        cometd.setInitParameter("maxInterval", Settings.MAX_INTERVAL_MS);
        cometd.setInitParameter("sweepPeriod", Settings.SWEEP_MS);
        cometd.setInitParameter("ws.cometdURLMapping", "/cometd/*");
        context.addServlet(cometd, "/cometd/*");
        WebSocketServerContainerInitializer.configureContext(context);
        ServletHolder door = new ServletHolder(new Door());
        context.addServlet(door, "/status");
        context.addServlet(door, "/forget");
        context.addServlet(door, "/say");
        server.start();

        ChatCentre centre = new ChatCentre(new KeptChats(Settings.CHATS_FILE));
        var bayeux = (BayeuxServerImpl) context.getServletContext().getAttribute(BayeuxServer.ATTRIBUTE);
        if (Settings.EXTENSIONS.contains("ack")) {
            bayeux.addExtension(new AcknowledgedMessagesExtension());
        }
        if (Settings.EXTENSIONS.contains("timesync")) {
            bayeux.addExtension(new TimesyncExtension());
        }
        serve(bayeux, centre);
        context.setAttribute(Door.NAME, new SideDoor(centre, new Sessions(bayeux)));
        int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
        System.out.println("ready http://127.0.0.1:" + port + "/cometd");
        server.join();
    }

    private static void serve(BayeuxServer bayeux, ChatCentre centre) {
        bayeux.createChannelIfAbsent(ChatCentre.CHANNEL + "*", channel -> {
            channel.setPersistent(true);
            channel.addListener(new ServerChannel.MessageListener() {
                @Override
                public boolean onMessage(
                        ServerSession from, ServerChannel channel, ServerMessage.Mutable message) {
                    String name = message.getChannel();
                    centre.handle(name, message.getDataAsMap(),
                        data -> from.deliver(null, name, data));
                    return true;
                }
            });
        });
    }

    private record Sessions(BayeuxServerImpl bayeux) implements SideDoor.Sessions {
        @Override
        public int count() {
            return bayeux.getSessions().size();
        }

        @Override
        public void forget() {
            for (ServerSession session : bayeux.getSessions()) {
                bayeux.removeServerSession(session, true); // what the server's own sweep calls
                ((ServerSessionImpl) session).flush(); // answers the held connect
            }
        }
    }

    private static final class Door extends HttpServlet {
        static final String NAME = "botkit.interop.door";

        private SideDoor door() {
            return (SideDoor) getServletContext().getAttribute(NAME);
        }

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            answer(response, door().status());
        }

        @Override
        protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
            boolean says = request.getServletPath().equals("/say");
            answer(response, says
                ? door().say(request.getParameter("text"))
                : door().forget(request.getParameter("say")));
        }

        private static void answer(HttpServletResponse response, Map<String, Object> body) throws IOException {
            response.setContentType("application/json");
            response.getWriter().print(new JSON().toJSON(body));
        }
    }
}
