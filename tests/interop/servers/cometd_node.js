'use strict';

// The chat centre on cometd-nodejs-server: a listener on the service channel, and deliver() to answer.

const cometd = require('cometd-nodejs-server');
const { AcknowledgedMessagesExtension } = require('cometd-nodejs-server/ack-extension');
const { ChatCentre } = require('./chat_centre');
const { CHANNEL, EXTENSIONS, MAX_INTERVAL_MS, PATH, POLL_TIMEOUT_MS, serve } = require('./serving');

const bayeux = cometd.createCometDServer({
  timeout: POLL_TIMEOUT_MS,
  maxInterval: MAX_INTERVAL_MS,
  sweepPeriod: Math.min(997, MAX_INTERVAL_MS / 4),
});
if (EXTENSIONS.includes('ack')) bayeux.addExtension(new AcknowledgedMessagesExtension());
const centre = new ChatCentre();
const sessions = new Set();

bayeux.addListener('sessionAdded', (session) => sessions.add(session));
bayeux.addListener('sessionRemoved', (session) => sessions.delete(session));
bayeux
  .createServerChannel('/service/chatV2/*')
  .addListener('message', (session, channel, message, callback) => {
    const [, service] = CHANNEL.exec(message.channel);
    centre.handle(service, message.data, (data) => session.deliver(null, message.channel, data));
    callback();
  });

serve(centre, {
  attach(server) {
    const [fallback] = server.listeners('request');
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      (request.url.startsWith(PATH) ? bayeux.handle : fallback)(request, response);
    });
  },
  sessions: () => sessions.size,
  // Not session.disconnect(): that delivers a /meta/disconnect, and a client then stops for good.
  forget() {
    for (const session of sessions) {
      bayeux._removeServerSession(session, true); // what the server's own sweep calls
      session._flush(); // answers the held connect; the next one finds no session
    }
  },
});
