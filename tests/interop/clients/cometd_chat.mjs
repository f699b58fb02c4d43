// Holds one whole chat with CometD's JavaScript client and prints one JSON line about it.
//
// usage: node cometd_chat.mjs URL SERVICE MESSAGES [--transport NAME] [--subscribe] [--ack] [--timesync]
//                             [--reload] [--expect-rehandshake]
//
// --ack, --timesync      register these extensions; what came of them is recorded
// --reload               after the first answer does as a page that is reloaded: another client goes on
//                        with the same Bayeux session (reload extension)
// --subscribe            also subscribes to the service channel; the answer is only recorded
// --expect-rehandshake   after the first answer prints `forget me` on standard error, and goes on
//                        only after a new handshake, a requestNotifications and its replay

import { parseArgs } from 'node:util';
import { adapt } from 'cometd-nodejs-client';
import { CometD, LongPollingTransport, WebSocketTransport } from 'cometd';
import { AckExtension } from 'cometd/AckExtension.js';
import { ReloadExtension } from 'cometd/ReloadExtension.js';
import { TimeSyncExtension } from 'cometd/TimeSyncExtension.js';

const LIMIT = 20_000;
const TRANSPORTS = { 'long-polling': LongPollingTransport, websocket: WebSocketTransport };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    transport: { type: 'string', default: 'long-polling' },
    subscribe: { type: 'boolean', default: false },
    ack: { type: 'boolean', default: false },
    timesync: { type: 'boolean', default: false },
    reload: { type: 'boolean', default: false },
    'expect-rehandshake': { type: 'boolean', default: false },
  },
});
const [url, service, messages] = positionals;
const channel = `/service/chatV2/${service}`;
const report = {
  ok: false,
  events: [],
  late: 0,
  replayed: 0,
  rehandshakes: 0,
  subscribed: null,
  clientIds: [],
  batches: [],
  timeAnswers: 0,
  timeOffset: null,
  metaErrors: [],
  errors: [],
};

/**
 * The events of the chat by index, each once, however often and in whatever order they come:
 * the held connect and the answer to a publish are two connections, and either may win.
 */
class Inbox {
  key = null;
  ended = false;
  #events = new Map();
  #awaited = 0;
  #waiting = [];

  take(data) {
    if (data.statusCode !== 0) report.errors.push(...data.errors);
    this.key = data.secureKey || this.key;
    this.ended ||= data.chatEnded;
    for (const { index, type, from, text = null, userData = null } of data.messages ?? []) {
      if (this.#events.has(index)) {
        report.replayed += 1;
        continue;
      }
      if (index < Math.max(0, ...this.#events.keys())) report.late += 1;
      this.#events.set(index, { index, type, from: from.type, text, userData });
    }
    this.#waiting.splice(0).forEach((look) => look());
  }

  events() {
    return [...this.#events.values()].sort((a, b) => a.index - b.index);
  }

  /** The index to resume from: not the highest, for an event may be late. */
  firstMissing() {
    let index = 1;
    while (this.#events.has(index)) index += 1;
    return index;
  }

  /** Waits for an event that fits, after the last awaited one. */
  async event(what, fits) {
    const found = await this.#until(what, () =>
      this.events().find((event) => event.index > this.#awaited && fits(event)),
    );
    this.#awaited = found.index;
  }

  end() {
    return this.#until('the end of the chat', () => this.ended || undefined);
  }

  #until(what, look) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no sign of ${what}`)), LIMIT);
      const tryNow = () => {
        const found = look();
        if (found === undefined) return this.#waiting.push(tryNow);
        clearTimeout(timer);
        return resolve(found);
      };
      tryNow();
    });
  }
}

adapt();
const kept = new Map();
window.sessionStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
};
let cometd = null;
let clock = null;

const inbox = new Inbox();
const publish = (operation, details = {}) =>
  cometd.publish(channel, { operation, ...(inbox.key && { secureKey: inbox.key }), ...details });
const replied = (call) =>
  new Promise((resolve, reject) => {
    call((reply) => (reply.successful ? resolve(reply) : reject(new Error(JSON.stringify(reply)))));
  });

let rebound = () => {};
/** A client as each page has one, which takes the place of the one before. */
function open() {
  cometd = new CometD();
  cometd.unregisterTransports();
  cometd.registerTransport(options.transport, new TRANSPORTS[options.transport]());
  cometd.configure({ url, logLevel: 'error', backoffIncrement: 100 });
  if (options.ack) cometd.registerExtension('ack', new AckExtension());
  if (options.timesync) cometd.registerExtension('timesync', (clock = new TimeSyncExtension()));
  if (options.reload) cometd.registerExtension('reload', new ReloadExtension());
  // A listener on the very channel would count as a subscription, and subscribe() would send nothing.
  cometd.addListener('/service/chatV2/*', (message) => inbox.take(message.data));
  for (const meta of ['handshake', 'connect', 'subscribe', 'publish']) {
    cometd.addListener(`/meta/${meta}`, (message) => {
      const { error, failure, advice } = message;
      if (message.ext?.timesync) report.timeAnswers += 1;
      if (!message.successful)
        report.metaErrors.push({ meta, error, http: failure?.httpCode ?? null, advice });
    });
  }
  cometd.addListener('/meta/handshake', onHandshake);
  cometd.addListener('/meta/connect', (message) => {
    if (message.ext?.ack !== undefined) report.batches.push(message.ext.ack);
  });
  return replied((done) => cometd.handshake(done));
}

function onHandshake(message) {
  if (!message.successful) return;
  report.clientIds.push(message.clientId);
  if (options.subscribe)
    cometd.subscribe(
      channel,
      () => {},
      (reply) => (report.subscribed = reply.error ?? true),
    );
  if (!message.reestablish) return;
  report.rehandshakes += 1;
  publish('requestNotifications', { transcriptPosition: inbox.firstMissing() });
  rebound();
}

async function chat() {
  await open();
  publish('requestChat', { nickname: 'Grace', subject: 'interop', userData: { Segment: 'gold' } });
  await inbox.event(
    'the agent',
    (event) => event.type === 'ParticipantJoined' && event.from === 'Agent',
  );
  for (let n = 1; n <= Number(messages); n += 1) {
    publish('sendMessage', { message: `message ${n}` });
    await inbox.event(
      `the answer to message ${n}`,
      (event) => event.from === 'Agent' && event.text === `You said: message ${n}`,
    );
    if (n === 1 && options.reload) {
      cometd.reload();
      await open();
    }
    if (n === 1 && options['expect-rehandshake']) {
      const again = new Promise((resolve) => {
        rebound = resolve;
      });
      console.error('forget me');
      await again;
    }
  }
  publish('disconnect');
  await inbox.end();
  // The held connect may end first, with advice none, on which the client cuts its own goodbye off.
  await new Promise((done) => cometd.disconnect(done));
}

const deadline = setTimeout(() => finish('the chat took too long'), 2 * LIMIT);
function finish(problem) {
  clearTimeout(deadline);
  if (problem) report.errors.push({ message: String(problem) });
  report.events = inbox.events();
  if (clock) report.timeOffset = clock.getTimeOffset();
  report.ok = report.errors.length === 0;
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(report.ok ? 0 : 1));
}
chat().then(() => finish(), finish);
