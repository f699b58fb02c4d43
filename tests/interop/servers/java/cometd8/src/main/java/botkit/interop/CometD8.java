package botkit.interop;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import org.cometd.bayeux.Promise;
import org.cometd.bayeux.server.BayeuxServer;
import org.cometd.bayeux.server.ServerChannel;
import org.cometd.bayeux.server.ServerMessage;
import org.cometd.bayeux.server.ServerSession;
import org.cometd.server.BayeuxServerImpl;
import org.cometd.server.ServerSessionImpl;
import org.cometd.server.ext.AcknowledgedMessagesExtension;
import org.cometd.server.ext.TimesyncExtension;
import org.cometd.server.http.JSONHttpTransport;
import org.cometd.server.http.jakarta.CometDServlet;
import org.cometd.server.websocket.jetty.JettyWebSocketTransport;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Context;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.ajax.JSON;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** The chat centre on CometD 8 (Jetty 12, jakarta.servlet). */
public final class CometD8 {
    public static void main(String[] arguments) throws Exception {
        Server server = new Server(new InetSocketAddress("127.0.0.1", Settings.PORT));
        ServletContextHandler context = new ServletContextHandler();
        WebSocketUpgradeHandler sockets = WebSocketUpgradeHandler.from(server, context);
        sockets.setHandler(context);
        server.setHandler(sockets);
        BayeuxServerImpl bayeux = bayeuxOn(context);
        ServletHolder cometd = new ServletHolder(CometDServlet.class);
        cometd.setInitOrder(1);
        cometd.setAsyncSupported(true);
        context.addServlet(cometd, "/cometd/*");
        ServletHolder door = new ServletHolder(new Door());
        context.addServlet(door, "/status");
        context.addServlet(door, "/forget");
        context.addServlet(door, "/say");
        server.start();

        ChatCentre centre = new ChatCentre(new KeptChats(Settings.CHATS_FILE));
        serve(bayeux, centre);
        context.setAttribute(Door.NAME, new SideDoor(centre, new Sessions(bayeux)));
        int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
        System.out.println("ready http://127.0.0.1:" + port + "/cometd");
        server.join();
    }

    /** Long polling through the servlet, which takes the server that it finds, and WebSockets beside it. */
    private static BayeuxServerImpl bayeuxOn(ServletContextHandler context) {
        BayeuxServerImpl bayeux = new BayeuxServerImpl();
        bayeux.setOption("transports",
            JSONHttpTransport.class.getName() + "," + JettyWebSocketTransport.class.getName());
        bayeux.setOption("ws.cometdURLMapping", "/cometd/*");
        bayeux.setOption(Context.class.getName(), context.getContext());
        bayeux.setOption("timeout", Settings.POLL_TIMEOUT_MS);
        bayeux.setOption("maxInterval", Settings.MAX_INTERVAL_MS);
        bayeux.setOption("sweepPeriod", Settings.SWEEP_MS);
        context.getServletContext().setAttribute(BayeuxServer.ATTRIBUTE, bayeux);
        if (Settings.EXTENSIONS.contains("ack")) {
            bayeux.addExtension(new AcknowledgedMessagesExtension());
        }
        if (Settings.EXTENSIONS.contains("timesync")) {
            bayeux.addExtension(new TimesyncExtension());
        }
        return bayeux;
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
                        data -> from.deliver(null, name, data, Promise.noop()));
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
