// Peer: CometD's JavaScript client under Node, playing the benchmark's journey.
//
// usage: node node_cometd.mjs N ROUNDS PORT long-polling|websocket [idle]
//
// The npm packages are looked for beside this file, or in the folder that NODE_BASE names.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const CHANNEL = '/service/chatV2/demo';
const MESSAGES = 10;
const LIMIT = 100_000;
const REQUEST = {
  operation: 'requestChat',
  nickname: 'Customer',
  subject: 'perf',
  userData: { lang: 'en', segment: 'gold' },
};

const base = process.env.NODE_BASE
  ? path.join(path.resolve(process.env.NODE_BASE), 'package.json')
  : import.meta.url;
const load = (name) => import(pathToFileURL(createRequire(base).resolve(name)));
const { adapt } = await load('cometd-nodejs-client');
adapt();
const { CometD, LongPollingTransport, WebSocketTransport } = await load('cometd');

const [sessions, rounds, port] = process.argv.slice(2, 5).map(Number);
const transport = process.argv[5] || 'long-polling';
const idle = process.argv[6] === 'idle';
let messages = 0;
let journeys = 0;
let held = 0;

function newClient() {
  const client = new CometD();
  client.configure({
    url: `http://127.0.0.1:${port}/cometd`,
    logLevel: 'warn',
    useWorkerScheduler: false,
  });
  client.unregisterTransports();
  const Transport = transport === 'websocket' ? WebSocketTransport : LongPollingTransport;
  client.registerTransport(transport, new Transport());
  return client;
}

function journey() {
  return new Promise((resolve, reject) => {
    const client = newClient();
    let chat;
    let sent = 0;
    let text;
    const say = () => {
      text = `hello this is message number ${sent} from the customer`;
      client.publish(CHANNEL, { operation: 'sendMessage', chatId: chat, message: text, n: sent });
      sent += 1;
    };
    client.addListener(CHANNEL, ({ data }) => {
      const [event] = data.messages;
      if (event.type === 'ParticipantJoined') {
        chat = data.chatId;
        say();
        return;
      }
      if (event.text !== text) {
        reject(new Error(`sent ${text}, got ${event.text}`));
        return;
      }
      messages += 1;
      if (sent < MESSAGES) say();
      else client.disconnect(() => resolve((journeys += 1)));
    });
    client.handshake((reply) => {
      if (!reply.successful) reject(new Error(JSON.stringify(reply)));
      else if (idle) held += 1;
      else client.publish(CHANNEL, REQUEST);
    });
  });
}

async function playRounds() {
  for (let round = 0; round < rounds; round += 1) await journey();
}

const statusKb = (key) =>
  Number(new RegExp(`${key}:\\s+(\\d+)`).exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]);
const perSession = (key) => Number(((statusKb(key) - startKb) / sessions).toFixed(1));
const startKb = statusKb('VmRSS');
const startCpu = process.cpuUsage();
const start = performance.now();

function report(extra = {}) {
  const used = process.cpuUsage(startCpu);
  const cpu = (used.user + used.system) / 1e6;
  const wall = (performance.now() - start) / 1000;
  const rates = messages && {
    j_per_s: Number((journeys / wall).toFixed(1)),
    msg_per_cpu_s: Math.round(messages / cpu),
    cpu_us_per_msg: Math.round((cpu / messages) * 1e6),
  };
  console.log(
    JSON.stringify({
      kind: `node-cometd-${transport}`,
      n: sessions,
      port,
      journeys,
      msgs: messages,
      wall: Number(wall.toFixed(2)),
      cpu: Number(cpu.toFixed(2)),
      rss0_kb: startKb,
      peak_kb_per: perSession('VmHWM'),
      ...rates,
      ...extra,
    }),
  );
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

if (idle) {
  for (let n = 0; n < sessions; n += 1) journey();
  for (const end = Date.now() + 60_000; held < sessions && Date.now() < end; ) await pause(100);
  await pause(1500);
  report({ held, rss_kb_per: perSession('VmRSS') });
  process.exit(0);
}
setTimeout(() => {
  report({ TIMEOUT: true });
  process.exit(1);
}, LIMIT).unref();
await Promise.all(Array.from({ length: sessions }, playRounds));
report();
process.exit(0);
