'use strict';

// The chat centre on faye.
//
// faye has no service channels: a customer's publish on /service/** is accepted, and a customer's
// subscribe to it is refused. So the way in and the way back are both ours:
//
// in    the engine's `publish` event, the only place that still knows the sender's clientId (a
//       server-side local client gets the message with the clientId taken off);
// back  a mailbox channel for each client, subscribed on its behalf at the handshake, so that the
//       engine queues for it between two polls; an outgoing extension puts the service channel's
//       name on what leaves the mailbox.

const faye = require('faye');
const { ChatCentre } = require('./chat_centre');
const { CHANNEL, PATH, POLL_TIMEOUT_MS, serve } = require('./serving');

// faye has no maxInterval: it removes a client twice this time after its last connect.
const bayeux = new faye.NodeAdapter({ mount: PATH, timeout: POLL_TIMEOUT_MS / 1000 });
const engine = bayeux._server._engine; // no public name leads to subscribe and destroyClient
const centre = new ChatCentre();
const clients = new Set();

const mailboxOf = (clientId) => `/mailbox/${clientId}`;

bayeux.on('handshake', (clientId) => {
  clients.add(clientId);
  engine.subscribe(clientId, mailboxOf(clientId));
});
bayeux.on('disconnect', (clientId) => clients.delete(clientId));
bayeux.on('publish', (clientId, channel, data) => {
  const [, service] = CHANNEL.exec(channel) || [];
  if (!service || !clients.has(clientId)) return;
  centre.handle(service, data, (reply) => {
    engine.publish({ channel: mailboxOf(clientId), data: { deliverAs: channel, reply } });
  });
});

bayeux.addExtension({
  incoming(message, callback) {
    const names = [message.channel, ...[].concat(message.subscription || [])];
    if (names.some((name) => String(name).startsWith('/mailbox/'))) {
      message.error = "403::Mailboxes are the server's own";
    }
    callback(message);
  },
  outgoing(message, callback) {
    if (String(message.channel).startsWith('/mailbox/') && message.data) {
      message.channel = message.data.deliverAs;
      message.data = message.data.reply;
    }
    callback(message);
  },
});

serve(centre, {
  attach: (server) => bayeux.attach(server),
  sessions: () => clients.size,
  forget: () => [...clients].forEach((clientId) => engine.destroyClient(clientId)),
});
